{{- define "meta-coordinator.env" -}}
- name: LARRY_MODES_ALLOWED
  value: {{ join "," .Values.modesAllowed | quote }}
- name: LARRY_APPROVAL_PRIVATE_KEY
  value: /etc/larry/approval/approval.key
- name: LARRY_JOURNAL_KEY
  value: /etc/larry/journal/journal.key
- name: LARRY_TOKENS_FILE
  value: /etc/larry/tokens/tokens.json
- name: LARRY_STATE_DIR
  value: /var/lib/larry/state
- name: LARRY_VALIDATION_TIMEOUT_MS
  value: {{ int .Values.validationTimeoutMs | quote }}
{{- with (.Values.traces | default dict).endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
- name: LARRY_WORKER_PROGRAMS
  value: '{"larry-01":"apps/larry-01/dist/worker.js","larry-02":"apps/larry-02/dist/worker.js","larry-03":"apps/larry-03/dist/worker.js"}'
{{- end }}

{{- define "meta-coordinator.mounts" -}}
{{ include "larry-common.stateMount" . }}
- name: approval
  mountPath: /etc/larry/approval
  readOnly: true
- name: journal
  mountPath: /etc/larry/journal
  readOnly: true
- name: tokens
  mountPath: /etc/larry/tokens
  readOnly: true
{{- end }}

{{- define "meta-coordinator.volumes" -}}
{{ include "larry-common.stateVolume" . }}
- name: approval
  secret:
    secretName: {{ .Values.approval.secret }}
    defaultMode: 0440
    items:
      - key: approval.key
        path: approval.key
- name: journal
  secret:
    secretName: {{ .Values.keys.secret }}
    defaultMode: 0440
    items:
      - key: journal.key
        path: journal.key
- name: tokens
  secret:
    secretName: {{ .Values.tokens.secret }}
    defaultMode: 0440
    items:
      - key: tokens.json
        path: tokens.json
{{- end }}
