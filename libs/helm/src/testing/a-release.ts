import { existsSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { JsonRecord, KubeObject } from '@larry/contracts';
import { findHelm } from '../helm-tool';
import type { HelmRelease } from '../release';

/** A small chart with the usual ways in which values get into fields; `extra` are further templates by name. */
export function aRelease(config: JsonRecord = {}, extra: Record<string, string> = {}, more: Partial<HelmRelease> = {}): HelmRelease {
  const templates = Object.entries({ 'templates/all.yaml': template, ...extra }).map(([name, text]) => ({ name, data: Buffer.from(text).toString('base64') }));
  return {
    ...{ name: 'shop', namespace: 'web', revision: 3, status: 'deployed', description: 'Upgrade complete', at: '2026-01-01T00:00:00Z' },
    chart: { metadata: { apiVersion: 'v2', name: 'web', version: '1.2.3', appVersion: '1.25' }, lock: undefined, schema: undefined, files: [], templates, values: structuredClone(values) },
    config,
    manifest: '',
    driver: 'secret',
    history: [],
    ...more,
  };
}

const values = {
  image: { registry: 'docker.io', repository: 'library/nginx', tag: '' },
  replicas: 1,
  port: 8080,
  probe: { path: '/healthz', delay: 5 },
  podSecurityContext: {},
  resources: {},
  env: [{ name: 'EMAIL', value: 'admin@shop.local' }, { name: 'MODE', value: 'fast' }],
  extraEnv: [],
  note: 'hello',
};

const template = `apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{name: http, port: 80, targetPort: {{ .Values.port }}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      {{- with .Values.podSecurityContext }}
      securityContext: {{ toJson . }}
      {{- end }}
      containers:
      - name: web
        image: "{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        env: {{ concat .Values.env .Values.extraEnv | toJson }}
        ports: [{name: http, containerPort: {{ .Values.port }}}]
        readinessProbe: {httpGet: {path: {{ .Values.probe.path | quote }}, port: http}, initialDelaySeconds: {{ .Values.probe.delay }}}
        resources: {{ toJson .Values.resources }}
`;

/** A release as Helm keeps it: one Secret for its revision. `mark`: a template beside the chart's own. */
export function releaseSecret(release: HelmRelease, status = release.status): KubeObject {
  const { name, namespace, revision, description, at, chart, config, manifest } = release;
  const record = { name, namespace, version: revision, manifest, config, info: { status, description, last_deployed: at }, chart };
  const packed = gzipSync(JSON.stringify(record)).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: { name: `sh.helm.release.v1.${name}.v${revision}`, namespace, labels: { owner: 'helm', name, version: String(revision), status } },
    data: { release: Buffer.from(packed).toString('base64') },
  } as KubeObject;
}

/** A real Helm for tests: that of the machine, or the one that the simulation unpacked. Undefined where there is none. */
export function helmForTests(): string | undefined {
  const cached = path.join(process.cwd(), 'node_modules', '.cache', 'larry-tools', 'helm');
  const found = findHelm({ ...process.env, LARRY_HELM: process.env['LARRY_HELM'] ?? process.env['HELM'] ?? (existsSync(cached) ? cached : undefined) });
  return 'file' in found ? found.file : undefined;
}
