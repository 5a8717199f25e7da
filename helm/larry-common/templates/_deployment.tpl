{{/*
The service's Deployment. Call with a dict: context, program, env, volumes, mounts (as YAML text), and where they
apply checksum (of mounted configuration) and strategy.
`spec.replicas` is written only when a value says so: `kubectl scale` and the next upgrade then never meet.
*/}}
{{- define "larry-common.deployment" -}}
{{- $ := .context }}
{{- if and $.Values.autoscaling.enabled (not (kindIs "invalid" $.Values.replicas)) }}
{{- fail "replicas and autoscaling.enabled are both set: the autoscaler sets the number of replicas, so leave replicas out" }}
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "larry-common.name" $ }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
    {{- include "larry-common.selector" $ | nindent 4 }}
spec:
  {{- if not (kindIs "invalid" $.Values.replicas) }}
  replicas: {{ int $.Values.replicas }}
  {{- end }}
  {{- /* Never by a value: server-side apply cannot turn RollingUpdate into Recreate, its defaulted rollingUpdate stays (seen on 1.35). */}}
  {{- with .strategy }}
  strategy:
    type: {{ . }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      {{- include "larry-common.selector" $ | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "larry-common.labels" $ | nindent 8 }}
        {{- include "larry-common.selector" $ | nindent 8 }}
      annotations:
        {{- with .checksum }}
        checksum/config: {{ . }}
        {{- end }}
        kubectl.kubernetes.io/default-container: {{ $.Chart.Name }}
    spec:
      serviceAccountName: {{ include "larry-common.name" $ }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 60
      securityContext:
        {{- include "larry-common.podSecurity" $ | nindent 8 }}
      {{- with $.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- include "larry-common.placement" $ | nindent 6 }}
      {{- with $.Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      containers:
        - name: {{ $.Chart.Name }}
          image: {{ include "larry-common.image" $ | quote }}
          imagePullPolicy: {{ $.Values.image.pullPolicy }}
          args: [{{ .program | quote }}]
          env:
            {{- include "larry-common.redisEnv" $ | nindent 12 }}
            {{- include "larry-common.env" $ | nindent 12 }}
            - name: PORT
              value: "8080"
            - name: LARRY_LISTEN
              value: 0.0.0.0
            - name: LARRY_LAUNCHER
              value: job
            - name: LARRY_LEASE_TTL_MS
              value: {{ int $.Values.leaseTtlMs | quote }}
            - name: LARRY_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            {{- .env | nindent 12 }}
            {{- with $.Values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: http
              containerPort: 8080
          startupProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
          resources:
            {{- toYaml $.Values.resources | nindent 12 }}
          securityContext:
            {{- include "larry-common.containerSecurity" $ | nindent 12 }}
          volumeMounts:
            {{- include "larry-common.tokenMount" $ | nindent 12 }}
            {{- include "larry-common.redisMount" $ | nindent 12 }}
            {{- .mounts | nindent 12 }}
      volumes:
        {{- include "larry-common.tokenVolume" $ | nindent 8 }}
        {{- include "larry-common.redisVolume" $ | nindent 8 }}
        {{- .volumes | nindent 8 }}
{{- end }}

{{/* Where the service's pods run: near its node, or only there; replicas on different nodes where they can be. */}}
{{- define "larry-common.placement" -}}
{{- $node := .Values.node -}}
affinity:
  {{- if and $node.name (eq $node.affinity "required") }}
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - { key: kubernetes.io/hostname, operator: In, values: [{{ $node.name | quote }}] }
  {{- else if and $node.name (eq $node.affinity "preferred") }}
  nodeAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        preference:
          matchExpressions:
            - { key: kubernetes.io/hostname, operator: In, values: [{{ $node.name | quote }}] }
  {{- end }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 50
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "larry-common.selector" . | nindent 14 }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
