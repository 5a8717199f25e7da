{{/* What makes a pod pass the restricted Pod Security Standard; user and group are the image's. */}}
{{- define "larry-common.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "larry-common.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile:
  type: RuntimeDefault
capabilities:
  drop: [ALL]
{{- end }}

{{/* The account's token, valid for an hour and renewed by the kubelet, where in-cluster clients look for it. */}}
{{- define "larry-common.tokenVolume" -}}
- name: account
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3607
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- end }}

{{- define "larry-common.tokenMount" -}}
- name: account
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}

{{/* Redis: the whole address from a Secret, or an address without credentials and a Secret with those. */}}
{{- define "larry-common.redisEnv" -}}
{{- $redis := .Values.redis -}}
{{- if $redis.url }}
{{- if $redis.credentialsSecret }}
{{- if $redis.usernameKey }}
- name: REDIS_USERNAME
  valueFrom:
    secretKeyRef:
      name: {{ $redis.credentialsSecret }}
      key: {{ $redis.usernameKey }}
{{- end }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ $redis.credentialsSecret }}
      key: {{ $redis.passwordKey }}
{{- end }}
- name: REDIS_URL
  value: {{ $redis.url | quote }}
{{- else }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ $redis.secret }}
      key: {{ $redis.urlKey }}
{{- end }}
{{- if $redis.caSecret }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/larry/redis-ca/ca.crt
{{- end }}
{{- end }}

{{- define "larry-common.redisVolume" -}}
{{- if .Values.redis.caSecret }}
- name: redis-ca
  secret:
    secretName: {{ .Values.redis.caSecret }}
    defaultMode: 0440
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- end }}

{{- define "larry-common.redisMount" -}}
{{- if .Values.redis.caSecret }}
- name: redis-ca
  mountPath: /etc/larry/redis-ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "larry-common.needRedis" -}}
{{- if .Values.redis.url }}
{{- if .Values.redis.credentialsSecret }}
{{- include "larry-common.needSecret" (list . .Values.redis.credentialsSecret (compact (list .Values.redis.usernameKey .Values.redis.passwordKey)) "put the password of Redis there, and with redis.usernameKey its ACL user") }}
{{- end }}
{{- else }}
{{- include "larry-common.needSecret" (list . .Values.redis.secret (list .Values.redis.urlKey) (printf "kubectl create secret generic %s -n %s --from-literal=%s=redis://HOST:6379" .Values.redis.secret .Release.Namespace .Values.redis.urlKey)) }}
{{- end }}
{{- if .Values.redis.caSecret }}
{{- include "larry-common.needSecret" (list . .Values.redis.caSecret (list "ca.crt") "put the certificate of the authority that signed the Redis' certificate there, under ca.crt") }}
{{- end }}
{{- end }}

{{/* The environment that every program of ours has in a pod. */}}
{{- define "larry-common.env" -}}
- name: LARRY_PREFIX
  value: {{ .Values.redis.prefix | quote }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
- name: LARRY_SOURCE
  value: live
- name: LARRY_SERVICE_ACCOUNT_DIR
  value: /var/run/secrets/kubernetes.io/serviceaccount
- name: LARRY_AUDIT_LOG
  value: /var/lib/larry/audit.jsonl
- name: HOME
  value: /tmp
{{- end }}

{{/* Where the audit log and what must outlive a pod are kept. */}}
{{- define "larry-common.stateVolume" -}}
- name: state
{{- if or .Values.storage.claim .Values.storage.size }}
  persistentVolumeClaim:
    claimName: {{ .Values.storage.claim | default (printf "%s-state" .Chart.Name) }}
{{- else }}
  emptyDir:
    sizeLimit: 256Mi
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- end }}

{{- define "larry-common.stateMount" -}}
- name: state
  mountPath: /var/lib/larry
- name: tmp
  mountPath: /tmp
{{- end }}

{{/* The claim of that volume. It stays when the release goes: an audit log is not deleted by the way. */}}
{{- define "larry-common.claim" -}}
{{- if and .Values.storage.size (not .Values.storage.claim) }}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .Chart.Name }}-state
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "larry-common.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [{{ .Values.storage.accessMode }}]
  {{- with .Values.storage.className }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .Values.storage.size }}
{{- end }}
{{- end }}
