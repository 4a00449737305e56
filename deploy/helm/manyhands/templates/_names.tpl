{{- define "manyhands.labels" -}}
app.kubernetes.io/name: manyhands
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "manyhands.name" -}}
{{ printf "%s-manyhands" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "manyhands.secret" -}}
{{ default (include "manyhands.name" .) .Values.secret.existing }}
{{- end }}
