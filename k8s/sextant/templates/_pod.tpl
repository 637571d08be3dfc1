{{/* metadata of every pod template; no version labels, so that a new chart alone restarts nothing. Argument: dict root, component, metricsPort (none: nothing to scrape). */}}
{{- define "sextant.podMetadata" -}}
labels:
  {{- include "sextant.selector" . | nindent 2 }}
{{- with .metricsPort }}
annotations:
  prometheus.io/scrape: 'true'
  prometheus.io/port: {{ . | quote }}
  prometheus.io/path: /metrics
{{- end }}
{{- end -}}

{{/* What every pod shares: no API token, no root, spread over nodes. Argument: dict root, component, values, serviceAccount (none: the common one). */}}
{{- define "sextant.podSpec" -}}
serviceAccountName: {{ .serviceAccount | default (include "sextant.fullname" .root) }}
automountServiceAccountToken: false # who talks to the Kubernetes API mounts a token of its own
terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000 # "node" in the images
  runAsGroup: 1000
  fsGroup: 1000 # the model volume is readable and, for the trainer, writable
  fsGroupChangePolicy: OnRootMismatch # do not walk the whole repository on each start
  seccompProfile: { type: RuntimeDefault }
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway # a full cluster still serves, on fewer nodes
    labelSelector:
      matchLabels:
        {{- include "sextant.selector" . | nindent 8 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What every container shares. Argument: dict root, component, values and, where it has one, gpu (how many). */}}
{{- define "sextant.container" -}}
name: {{ .component }}
image: {{ include "sextant.image" . | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
resources:
  {{- if .gpu }}
  {{- $limits := merge (dict "nvidia.com/gpu" .gpu) .values.resources.limits }}
  {{- toYaml (merge (dict "limits" $limits) .values.resources) | nindent 2 }}
  {{- else }}
  {{- toYaml .values.resources | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Endpoints forget a pod some seconds after it was told to stop; until then it serves on. */}}
{{- define "sextant.preStop" -}}
lifecycle:
  preStop:
    sleep: { seconds: 5 }
{{- end -}}

{{/* Probes of a process whose /health stands on its metrics port. */}}
{{- define "sextant.httpProbes" -}}
startupProbe:
  httpGet: { path: /health/live, port: metrics }
  periodSeconds: 2 # subgraph and gateway boot in 1–4 s
  failureThreshold: 30 # 60 s: a cold node, a store that is slow to find
livenessProbe:
  httpGet: { path: /health/live, port: metrics } # only "the event loop turns": a dead store must not restart the process
  periodSeconds: 10
  timeoutSeconds: 5 # a large ingest body may hold the event loop for a moment
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /health/ready, port: metrics } # false while draining
  periodSeconds: 5
  timeoutSeconds: 3 # the store's ping gives up after 1 s
  failureThreshold: 2 # 10 s: one slow answer does not take a pod away
{{- end -}}

{{- define "sextant.storeEnv" -}}
- name: MONGODB_URI
  valueFrom:
    secretKeyRef: { name: {{ .Values.secrets.mongodb.name }}, key: {{ .Values.secrets.mongodb.key }} }
{{- end -}}

{{- define "sextant.signingEnv" -}}
- name: SEXTANT_SIGNING_SECRET
  valueFrom:
    secretKeyRef: { name: {{ .Values.secrets.signing.name }}, key: {{ .Values.secrets.signing.key }} }
{{- end -}}

{{/* Where spans go; without an endpoint a process neither loads nor sends any. Argument: the root. */}}
{{- define "sextant.tracingEnv" -}}
{{- with .Values.tracing.endpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }} }
{{- end }}
{{- end -}}

{{/* Further variables of the values file; the chart's own come first and are not repeated. Argument: a map. */}}
{{- define "sextant.extraEnv" -}}
{{- range $name, $value := . }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end -}}

{{- define "sextant.modelEnv" -}}
- name: MODEL_REPOSITORY
  {{- if eq .Values.modelRepository.kind "gridfs" }}
  valueFrom:
    secretKeyRef: { name: {{ .Values.modelRepository.gridfs.secretName }}, key: {{ .Values.modelRepository.gridfs.secretKey }} }
  {{- else }}
  value: /models
  {{- end }}
{{- end -}}

{{- define "sextant.modelVolume" -}}
- name: models
  {{- if eq .Values.modelRepository.kind "persistentVolumeClaim" }}
  persistentVolumeClaim: { claimName: {{ include "sextant.modelClaim" . }} }
  {{- else }}
  emptyDir: { sizeLimit: {{ .Values.modelRepository.size }} }
  {{- end }}
{{- end -}}
