{{- define "larry-common.disruptionBudget" -}}
{{- if .Values.podDisruptionBudget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "larry-common.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
spec:
  # One at a time: a minimum of one would keep a node with a single replica from ever being drained.
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "larry-common.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{- define "larry-common.autoscaler" -}}
{{- if .Values.autoscaling.enabled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "larry-common.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "larry-common.name" . }}
  minReplicas: {{ .Values.autoscaling.minReplicas }}
  maxReplicas: {{ .Values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .Values.autoscaling.targetCpuPercent }}
{{- end }}
{{- end }}

{{/* Ports that pods of ours may call: names, Redis, the API server, and what the values add. Call with the chart's context. */}}
{{- define "larry-common.egress" -}}
- ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
- ports:
    {{- range concat .Values.networkPolicy.redisPorts .Values.networkPolicy.apiServerPorts (.Values.networkPolicy.morePorts | default list) | uniq }}
    - { protocol: TCP, port: {{ int . }} }
    {{- end }}
{{- end }}

{{- define "larry-common.networkPolicy" -}}
{{- if .Values.networkPolicy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "larry-common.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "larry-common.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - { protocol: TCP, port: 8080 }
      {{- with .Values.networkPolicy.from }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
  egress:
    {{- include "larry-common.egress" . | nindent 4 }}
{{- if and .Values.networkPolicy.defaultDeny (eq .Release.Namespace .Chart.Name) }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny-ingress
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
spec:
  podSelector: {}
  policyTypes: [Ingress]
{{- end }}
{{- end }}
{{- end }}

{{/* Prometheus' operator: only where the cluster serves its kinds. The rules are files/alerts.yaml, checked by promtool. */}}
{{- define "larry-common.monitoring" -}}
{{- if and .Values.metrics.serviceMonitor (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1/ServiceMonitor") }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "larry-common.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
    {{- with .Values.metrics.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "larry-common.selector" . | nindent 6 }}
  endpoints:
    - port: http
      path: /metrics
      interval: 30s
---
{{- end }}
{{- if and .Values.metrics.rules (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PrometheusRule") }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ include "larry-common.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
    {{- with .Values.metrics.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- .Files.Get "files/alerts.yaml" | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where the service is found: by its API's callers, and by Prometheus. */}}
{{- define "larry-common.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "larry-common.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
    {{- include "larry-common.selector" . | nindent 4 }}
spec:
  type: ClusterIP
  selector:
    {{- include "larry-common.selector" . | nindent 4 }}
  ports:
    - name: http
      port: 8080
      targetPort: http
{{- end }}
