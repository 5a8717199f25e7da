{{/* Everything of one Larry's release. */}}
{{- define "larry-common.larry" -}}
{{- include "larry-common.needRedis" . }}
{{- include "larry-common.needSecret" (list . .Values.keys.secret (list "approval.pub" "journal.key") "it holds the public half of the approval key (approval.pub) and the key that seals the journal (journal.key)") }}
{{- $job := include "larry-common.job" . }}
{{- include "larry-common.deployment" (dict
      "context" .
      "program" (printf "apps/%s/dist/main.js" .Chart.Name)
      "checksum" (sha256sum $job)
      "env" (include "larry-common.larryEnv" .)
      "mounts" (include "larry-common.larryMounts" .)
      "volumes" (include "larry-common.larryVolumes" .)) }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Chart.Name }}-job
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
data:
  job.yaml: |
    {{- $job | nindent 4 }}
---
{{ include "larry-common.service" . }}
---
{{ include "larry-common.account" (list . (include "larry-common.name" .)) }}
---
{{ include "larry-common.account" (list . (printf "%s-worker" .Chart.Name)) }}
---
{{ include "larry-common.launching" . }}
---
{{ include "larry-common.rights" (list . (printf "%s-worker" .Chart.Name)) }}
{{ include "larry-common.writing" (list . (printf "%s-worker" .Chart.Name)) }}
{{ include "larry-common.repairing" (list . (printf "%s-worker" .Chart.Name)) }}
{{ include "larry-common.confinement" (list . (printf "%s-worker" .Chart.Name)) }}
---
{{ include "larry-common.claim" . }}
---
{{ include "larry-common.disruptionBudget" . }}
---
{{ include "larry-common.networkPolicy" . }}
---
{{ include "larry-common.workerPolicy" . }}
---
{{ include "larry-common.autoscaler" . }}
---
{{ include "larry-common.monitoring" . }}
{{- end }}

{{- define "larry-common.larryEnv" -}}
- name: LARRY_JOB_TEMPLATE
  value: /etc/larry/job.yaml
- name: LARRY_NODE_AFFINITY
  value: {{ .Values.workers.affinity }}
- name: LARRY_MAX_WORKERS
  value: {{ int .Values.workers.max | quote }}
- name: LARRY_START_LIMIT_MS
  value: {{ int .Values.workers.startLimitMs | quote }}
- name: LARRY_LAUNCH_PATIENCE_MS
  value: {{ int .Values.workers.launchPatienceMs | quote }}
- name: LARRY_LOG_DIR
  value: /tmp/logs
{{- end }}

{{- define "larry-common.larryMounts" -}}
- name: job
  mountPath: /etc/larry
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "larry-common.larryVolumes" -}}
- name: job
  configMap:
    name: {{ .Chart.Name }}-job
    defaultMode: 0440
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end }}

{{/* What the coordinator itself may: the Jobs of its own namespace, as its launcher declares. */}}
{{- define "larry-common.launching" -}}
{{- $rights := .Files.Get "files/rights.yaml" | fromYaml }}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .Chart.Name }}-launch
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
rules:
  {{- toYaml $rights.launch | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .Chart.Name }}-launch
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
{{ include "larry-common.bindingOf" (list . "Role" (printf "%s-launch" .Chart.Name) (include "larry-common.name" .)) }}
{{- end }}

{{/* Nobody calls a worker. */}}
{{- define "larry-common.workerPolicy" -}}
{{- if .Values.networkPolicy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .Chart.Name }}-worker
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      app: larry-worker
      larry-instance: {{ .Chart.Name }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "larry-common.egress" . | nindent 4 }}
{{- end }}
{{- end }}
