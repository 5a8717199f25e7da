{{/* Labels of everything of a release. Call with the chart's context. */}}
{{- define "larry-common.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: larry
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* What a service's own pods are found by: the quick start's labels. They never change, a selector cannot. */}}
{{- define "larry-common.selector" -}}
app: {{ ternary "meta-coordinator" "larry-coordinator" (eq .Chart.Name "meta-coordinator") }}
larry-instance: {{ .Chart.Name }}
{{- end }}

{{/* Name of the service's Deployment and account. */}}
{{- define "larry-common.name" -}}
{{- ternary .Chart.Name (printf "%s-coordinator" .Chart.Name) (eq .Chart.Name "meta-coordinator") }}
{{- end }}

{{/* Name of a cluster-wide object: two releases of one chart in two namespaces do not meet. */}}
{{- define "larry-common.clusterName" -}}
{{- ternary .Chart.Name (printf "%s-%s" .Chart.Name .Release.Namespace) (eq .Chart.Name .Release.Namespace) }}
{{- end }}

{{/* The image, or one sentence: there is no registry that everybody could pull it from. */}}
{{- define "larry-common.image" -}}
{{- if not .Values.image.repository }}
{{- fail (printf "image.repository is not given: no registry serves Larry's images, so build them with scripts/images (scripts/images --help) and add --set image.repository=REPOSITORY/%s" .Chart.Name) }}
{{- end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* Fails in one sentence where a namespace that values list is not there, or is being deleted. Call with (list value namespaces). */}}
{{- define "larry-common.needNamespaces" -}}
{{- $value := index . 0 }}
{{- if lookup "v1" "Namespace" "" "kube-system" }}
{{- range index . 1 }}
{{- $namespace := lookup "v1" "Namespace" "" . }}
{{- if not $namespace }}
{{- fail (printf "%s: there is no namespace %q in this cluster; take it out, or create it first" $value .) }}
{{- end }}
{{- if $namespace.metadata.deletionTimestamp }}
{{- fail (printf "%s: the namespace %q is being deleted; take it out, or wait and create it anew" $value .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Fails in one sentence where a Secret that pods need is missing. Only a helm that talks to a cluster can know; it needs the
right to read that Secret. Call with (list context name keys what-to-do).
*/}}
{{- define "larry-common.needSecret" -}}
{{- $ := index . 0 }}{{- $name := index . 1 }}{{- $keys := index . 2 }}{{- $advice := index . 3 }}
{{- if and $.Values.checkSecrets (lookup "v1" "Namespace" "" "kube-system") }}
{{- $secret := lookup "v1" "Secret" $.Release.Namespace $name }}
{{- if not $secret }}
{{- fail (printf "the Secret %q is missing in namespace %q: %s; or install with larry install, which makes it (checkSecrets=false skips this look)" $name $.Release.Namespace $advice) }}
{{- end }}
{{- range $keys }}
{{- if not (hasKey ($secret.data | default dict) .) }}
{{- fail (printf "the Secret %q in namespace %q has no key %q: %s" $name $.Release.Namespace . $advice) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
