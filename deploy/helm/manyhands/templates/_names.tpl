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

{{- define "manyhands.origins" -}}
{{- $origins := .Values.origins }}
{{- if .Values.ingress.enabled }}
{{- $scheme := ternary "https" "http" (ne .Values.ingress.tlsSecret "") }}
{{- $origins = prepend $origins (printf "%s://%s" $scheme .Values.ingress.host) }}
{{- end }}
{{- $origins | uniq | join "," }}
{{- end }}
