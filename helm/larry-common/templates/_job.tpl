{{/*
The Job that the coordinator makes for each task; it fills in name, labels, work order, deadline and node.
Attempts are the coordinator's: a pod that fails is not tried again by the cluster.
*/}}
{{- define "larry-common.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  labels:
    app: larry-worker
    larry-instance: {{ .Chart.Name }}
    app.kubernetes.io/name: {{ .Chart.Name }}
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/part-of: larry
spec:
  backoffLimit: 0
  podReplacementPolicy: Failed
  ttlSecondsAfterFinished: {{ int .Values.workers.ttlSecondsAfterFinished }}
  template:
    metadata:
      labels:
        app: larry-worker
        larry-instance: {{ .Chart.Name }}
        app.kubernetes.io/part-of: larry
    spec:
      restartPolicy: Never
      serviceAccountName: {{ .Chart.Name }}-worker
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 10
      securityContext:
        {{- include "larry-common.podSecurity" . | nindent 8 }}
      {{- with .Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- with .Values.workers.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.workers.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      containers:
        - name: worker
          image: {{ include "larry-common.image" . | quote }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: ["apps/{{ .Chart.Name }}/dist/worker.js"]
          env:
            {{- include "larry-common.redisEnv" . | nindent 12 }}
            {{- include "larry-common.env" . | nindent 12 }}
            - name: LARRY_APPROVAL_PUBLIC_KEY
              value: /etc/larry/keys/approval.pub
            - name: LARRY_JOURNAL_KEY
              value: /etc/larry/keys/journal.key
            - name: NODE_OPTIONS
              value: --max-old-space-size=512
            {{- if .Values.repair.helm.namespaces }}
            - name: LARRY_HELM
              value: {{ .Values.repair.helm.program }}
            {{- end }}
            {{- with .Values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          resources:
            {{- toYaml .Values.workers.resources | nindent 12 }}
          securityContext:
            {{- include "larry-common.containerSecurity" . | nindent 12 }}
          volumeMounts:
            {{- include "larry-common.tokenMount" . | nindent 12 }}
            {{- include "larry-common.redisMount" . | nindent 12 }}
            {{- include "larry-common.stateMount" . | nindent 12 }}
            - name: keys
              mountPath: /etc/larry/keys
              readOnly: true
            {{- if .Values.repair.helm.namespaces }}
            - name: tmp
              mountPath: /tmp
            {{- end }}
      volumes:
        {{- include "larry-common.tokenVolume" . | nindent 8 }}
        {{- include "larry-common.redisVolume" . | nindent 8 }}
        {{- include "larry-common.stateVolume" . | nindent 8 }}
        - name: keys
          secret:
            secretName: {{ .Values.keys.secret }}
            defaultMode: 0440
            items:
              - key: approval.pub
                path: approval.pub
              - key: journal.key
                path: journal.key
        {{- if .Values.repair.helm.namespaces }}
        # Charts, while helm renders them; values among them may be secrets, so that they stay in memory.
        - name: tmp
          emptyDir:
            medium: Memory
            sizeLimit: 64Mi
        {{- end }}
{{- end }}
