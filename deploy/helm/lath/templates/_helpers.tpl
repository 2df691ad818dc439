{{- define "lath.labels" -}}
app.kubernetes.io/name: lath
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "lath.selector" -}}
app.kubernetes.io/name: lath
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "lath.image" -}}
{{ printf "%s/%s:%s" .root.Values.image.repository .name (.root.Values.image.tag | default .root.Chart.AppVersion) | quote }}
{{- end }}

{{/* What both daemons need to find VPC Lattice. */}}
{{- define "lath.aws" -}}
- name: AWS_REGION
  value: {{ .Values.region | quote }}
{{- with .Values.latticeEndpoint }}
- name: AWS_ENDPOINT_URL_VPC_LATTICE
  value: {{ . | quote }}
{{- end }}
{{- if .Values.credentials.accessKeyId }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: lath-aws, key: accessKeyId } }
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: lath-aws, key: secretAccessKey } }
{{- end }}
{{- end }}

{{/* Neither daemon needs any privilege: they speak TCP to two APIs. */}}
{{- define "lath.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end }}
