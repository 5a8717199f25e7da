{{/*
Rights of the account that reads (and where it is allowed, writes): from files/rights.yaml, which is generated from what
the playbooks declare. Call with (list context account).
*/}}
{{- define "larry-common.rights" -}}
{{- $ := index . 0 }}{{- $account := index . 1 }}
{{- $rights := $.Files.Get "files/rights.yaml" | fromYaml }}
{{- $name := include "larry-common.clusterName" $ }}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}-read
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
rules:
  {{- toYaml $rights.read | nindent 2 }}
  {{- if $.Values.rbac.readSecrets }}
  {{- with $rights.readSecrets }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- range $.Values.rbac.customResources }}
  - apiGroups: [{{ .apiGroup | quote }}]
    resources:
      {{- toYaml .resources | nindent 6 }}
    verbs: [get, list]
  {{- end }}
{{- include "larry-common.needNamespaces" (list "rbac.readNamespaces" $.Values.rbac.readNamespaces) }}
{{- if $.Values.rbac.readNamespaces }}
{{- range $.Values.rbac.readNamespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}-read
  namespace: {{ . }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
{{ include "larry-common.bindingOf" (list $ "ClusterRole" (printf "%s-read" $name) $account) }}
{{- end }}
{{- else }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}-read
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
{{ include "larry-common.bindingOf" (list $ "ClusterRole" (printf "%s-read" $name) $account) }}
{{- end }}
{{- end }}

{{- define "larry-common.bindingOf" -}}
{{- $ := index . 0 -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 1 }}
  name: {{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ index . 3 }}
    namespace: {{ $.Release.Namespace }}
{{- end }}

{{/* Writing: a Role in each namespace that values list, and no other. Call with (list context account). */}}
{{- define "larry-common.writing" -}}
{{- $ := index . 0 }}{{- $account := index . 1 }}
{{- $rights := $.Files.Get "files/rights.yaml" | fromYaml }}
{{- $name := include "larry-common.clusterName" $ }}
{{- if $.Values.rbac.writeNamespaces }}
{{- if not $rights.write }}
{{- fail (printf "rbac.writeNamespaces: no playbook of %s declares a write, so there is nothing to allow; leave it empty" $.Chart.Name) }}
{{- end }}
{{- if not (or $.Values.storage.size $.Values.storage.claim) }}
{{- fail "rbac.writeNamespaces needs storage.size or storage.claim: every change is written to an audit log before it is made, and that log must outlive the pod" }}
{{- end }}
{{- end }}
{{- include "larry-common.needNamespaces" (list "rbac.writeNamespaces" $.Values.rbac.writeNamespaces) }}
{{- range $.Values.rbac.writeNamespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}-write
  namespace: {{ . }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
rules:
  {{- toYaml $rights.write | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}-write
  namespace: {{ . }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
{{ include "larry-common.bindingOf" (list $ "Role" (printf "%s-write" $name) $account) }}
{{- end }}
{{- end }}

{{/* Repairing through Helm: a Role in each namespace that values name for it, and no other. Call with (list context account). */}}
{{- define "larry-common.repairing" -}}
{{- $ := index . 0 }}{{- $account := index . 1 }}
{{- $rights := $.Files.Get "files/rights.yaml" | fromYaml }}
{{- $name := include "larry-common.clusterName" $ }}
{{- $namespaces := $.Values.repair.helm.namespaces }}
{{- if $namespaces }}
{{- if not $rights.helm }}
{{- fail (printf "repair.helm.namespaces: no playbook of %s repairs through Helm, so there is nothing to allow; leave it empty" $.Chart.Name) }}
{{- end }}
{{- if not ($.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy") }}
{{- fail "repair.helm.namespaces needs an API server with ValidatingAdmissionPolicies (Kubernetes 1.30): RBAC alone would let Larry write every Secret there" }}
{{- end }}
{{- if not (or $.Values.storage.size $.Values.storage.claim) }}
{{- fail "repair.helm.namespaces needs storage.size or storage.claim: every change is written to an audit log before it is made, and that log must outlive the pod" }}
{{- end }}
{{- end }}
{{- include "larry-common.needNamespaces" (list "repair.helm.namespaces" $namespaces) }}
{{- range $namespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}-helm
  namespace: {{ . }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
rules:
  {{- toYaml $rights.helm.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}-helm
  namespace: {{ . }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
{{ include "larry-common.bindingOf" (list $ "Role" (printf "%s-helm" $name) $account) }}
{{- end }}
{{- end }}

{{/*
RBAC knows kinds, not fields: where the API server has admission policies, one confines our account to the fields that the
playbooks declare. It matches no request of anybody else. Call with (list context account).
*/}}
{{- define "larry-common.confinement" -}}
{{- $ := index . 0 }}{{- $account := index . 1 }}
{{- $rights := $.Files.Get "files/rights.yaml" | fromYaml }}
{{- $name := include "larry-common.clusterName" $ }}
{{- if $.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" }}
{{- if or $.Values.rbac.writeNamespaces $.Values.repair.helm.namespaces }}
{{- range $i, $rule := $rights.confine }}
{{- include "larry-common.policy" (list $ $account (printf "%s-declared-fields-%d" $name $i) $rule) }}
{{- end }}
{{- end }}
{{- if $.Values.repair.helm.namespaces }}
{{- range $i, $rule := $rights.helm.confine }}
{{- include "larry-common.policy" (list $ $account (printf "%s-helm-%d" $name $i) $rule) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* One such policy and its binding. Call with (list context account name rule). */}}
{{- define "larry-common.policy" -}}
{{- $ := index . 0 }}{{- $account := index . 1 }}{{- $name := index . 2 }}{{- $rule := index . 3 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ $name }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - apiGroups: {{ toJson $rule.apiGroups }}
        # Whichever the cluster serves: some kinds have no v1, and a version that is not named would not be looked at.
        apiVersions: ["*"]
        resources: {{ toJson $rule.resources }}
        operations: {{ toJson ($rule.operations | default (list "UPDATE")) }}
  matchConditions:
    - name: our-account
      expression: request.userInfo.username == "system:serviceaccount:{{ $.Release.Namespace }}:{{ $account }}"
    {{- if and $rule.outsideWriteNamespaces $.Values.rbac.writeNamespaces }}
    - name: nothing-else-is-allowed-there
      expression: "!(request.namespace in {{ toJson $.Values.rbac.writeNamespaces | replace "\"" "'" }})"
    {{- end }}
  validations:
    {{- toYaml $rule.validations | nindent 4 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
spec:
  policyName: {{ $name }}
  validationActions: [Deny]
{{ end }}

{{/* An account without a token of its own: pods get theirs by a projected volume. Call with (list context name). */}}
{{- define "larry-common.account" -}}
{{- $ := index . 0 -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ index . 1 }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "larry-common.labels" $ | nindent 4 }}
automountServiceAccountToken: false
{{- end }}
