import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {app: {{ .Release.Name }}}
  annotations: {note: {{ .Values.note | quote }}}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      securityContext: {fsGroup: 5050}
      volumes: [{name: data, emptyDir: {}}]
      containers:
      - name: pgadmin
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
        env:
        - {name: PGADMIN_DEFAULT_EMAIL, value: {{ .Values.email | quote }}}
        - {name: PGADMIN_DEFAULT_PASSWORD, valueFrom: {secretKeyRef: {name: {{ .Release.Name }}, key: password}}}
        ports: [{name: http, containerPort: 80}]
        volumeMounts: [{name: data, mountPath: /var/lib/pgadmin}]
        readinessProbe: {httpGet: {path: /misc/ping, port: http}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {password: {{ .Values.password | quote }}}
`;

const hook = `{{- if .Values.slowHook }}
apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-before, annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: before-hook-creation}}
spec:
  template: {spec: {restartPolicy: Never, containers: [{name: wait, image: "alpine:3.22", command: [sleep, "100000"]}]}}
{{- end }}
`;

/** Writes a chart of a PgAdmin whose address PgAdmin refuses, and returns its folder. */
export function pgadminChart(folder: string): string {
  const root = path.join(folder, 'pgadmin-chart');
  mkdirSync(path.join(root, 'templates'), { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(path.join(root, name), text);
  write('Chart.yaml', 'apiVersion: v2\nname: pgadmin-chart\nversion: 1.0.0\nappVersion: "9.8"\n');
  write('values.yaml', 'email: admin@pgadmin.local\npassword: simulated-pgadmin\nnote: hello\nslowHook: false\nimage: {repository: dpage/pgadmin4, tag: "9.8"}\n');
  write('templates/all.yaml', deployment);
  write('templates/hook.yaml', hook);
  return root;
}
