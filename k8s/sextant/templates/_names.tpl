{{/* Name of the release's objects: "<release>" when it says sextant already, else "<release>-sextant". */}}
{{- define "sextant.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | trunc 32 | trimSuffix "-") .Chart.Name -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods of one process. Argument: dict root, component. */}}
{{- define "sextant.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* All labels of an object. Argument: dict root, component. */}}
{{- define "sextant.labels" -}}
{{ include "sextant.selector" . }}
app.kubernetes.io/part-of: sextant
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* Argument: dict root, component and, where it has one, gpu (how many). */}}
{{- define "sextant.image" -}}
{{ .root.Values.image.registry }}sextant-{{ .component }}{{ if .gpu }}-gpu{{ end }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{- define "sextant.modelClaim" -}}
{{- .Values.modelRepository.existingClaim | default (printf "%s-models" (include "sextant.fullname" .)) -}}
{{- end -}}
