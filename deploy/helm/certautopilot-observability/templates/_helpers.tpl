{{- define "certautopilot.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "certautopilot.labels" -}}
app.kubernetes.io/name: certautopilot-observability
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* metadata of an object: dict root, suffix, of (its section of the values) */}}
{{- define "certautopilot.metadata" -}}
name: {{ include "certautopilot.name" .root }}{{ .suffix }}
namespace: {{ default .root.Release.Namespace .of.namespace }}
labels:
  {{- /* Labels of the object win over labels of all objects. */}}
  {{- toYaml (merge (deepCopy (.of.labels | default dict)) (include "certautopilot.labels" .root | fromYaml)) | nindent 2 }}
{{- with .of.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* the endpoint of a monitor: its section of the values */}}
{{- define "certautopilot.endpoint" -}}
port: {{ .port }}
path: {{ .path }}
scheme: {{ .scheme }}
honorLabels: {{ .honorLabels }}
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- range $key := list "tlsConfig" "relabelings" "metricRelabelings" }}
{{- with index $ $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* the port that spans are sent to, as the exporter reads it from the endpoint */}}
{{- define "certautopilot.collectorPort" -}}
{{- $endpoint := toString .Values.telemetry.tracing.endpoint | lower -}}
{{- $written := regexFind ":[0-9]+$" (regexReplaceAll "^[a-z]+://([^/?#]*).*$" $endpoint "${1}") | trimPrefix ":" -}}
{{- default (ternary "4317" "4318" (hasPrefix "grpc" $endpoint)) $written -}}
{{- end -}}

{{/* the ports of the relay and of its fallbacks, as a JSON array */}}
{{- define "certautopilot.relayPorts" -}}
{{- $usual := dict "udp" 514 "tls" 6514 -}}
{{- $port := default (get $usual (toString .Values.syslog.transport | lower) | default 601) .Values.syslog.port -}}
{{- $ports := list (int $port) -}}
{{- range $fallback := .Values.syslog.fallbacks -}}
  {{- $ports = append $ports (regexFind "[0-9]+$" (toString $fallback) | int) -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* seconds in a duration of one unit, such as 90s, 15m, 1h or 1d */}}
{{- define "certautopilot.seconds" -}}
{{- mul (regexFind "^[0-9]+" . | int) (index (dict "s" 1 "m" 60 "h" 3600 "d" 86400) (regexFind "[smhd]$" .)) -}}
{{- end -}}

{{/* a text with its placeholders filled: dict text, group (list), selector, threshold, window, job */}}
{{- define "certautopilot.filled" -}}
{{- $group := join ", " .group -}}
{{- .text
  | replace "$GROUP, " (ternary (printf "%s, " $group) "" (ne $group ""))
  | replace "$GROUP" $group
  | replace "{$SELECTOR}" (ternary (printf "{%s}" .selector) "" (ne .selector ""))
  | replace ", $SELECTOR" (ternary (printf ", %s" .selector) "" (ne .selector ""))
  | replace "$THRESHOLD" .threshold
  | replace "$WINDOW" .window
  | replace "$JOB" .job -}}
{{- end -}}

{{/* one alerting rule: dict alert, rule (prometheusRule of the values) */}}
{{- define "certautopilot.alert" -}}
{{- $alert := .alert -}}
{{- $rule := .rule -}}
{{- $own := index $rule.overrides $alert.name | default dict -}}
{{- $for := default $alert.for $own.for -}}
{{- $window := default $alert.window $own.window | default "" -}}
{{- /* An event must stay in sight for longer than `for`, or the alert never fires. */ -}}
{{- if and $alert.event (not $own.window) -}}
  {{- $seconds := include "certautopilot.seconds" $for | int -}}
  {{- if ge $seconds (include "certautopilot.seconds" $window | int) -}}
    {{- $window = printf "%ds" (mul 2 $seconds) -}}
  {{- end -}}
{{- end -}}
{{- $threshold := $alert.threshold | default "" -}}
{{- if hasKey $own "threshold" -}}{{- $threshold = $own.threshold | toString -}}{{- end -}}
{{- $group := $rule.grouping -}}
{{- if hasKey $own "grouping" -}}{{- $group = $own.grouping -}}{{- end -}}
{{- $selector := $rule.selector -}}
{{- if hasKey $own "selector" -}}{{- $selector = $own.selector -}}{{- end -}}
{{- $fill := dict "group" $group "selector" $selector "threshold" $threshold "window" $window "job" $rule.job -}}
{{- $labels := dict -}}
{{- range $label := $group -}}
  {{- $_ := set $labels $label (printf "{{ with $labels.%s }} %s={{ . }}{{ end }}" $label $label) -}}
{{- end -}}
{{- $place := "" -}}
{{- range $label := $group -}}{{- $place = printf "%s%s" $place (index $labels $label) -}}{{- end -}}
{{- if $place -}}{{- $place = printf " Reported by%s." $place -}}{{- end -}}
{{- $narrowed := list -}}
{{- range $name := list "cluster" "namespace" "job" -}}
  {{- if has $name $group -}}
    {{- $narrowed = append $narrowed (printf "var-%s={{ $labels.%s | urlquery }}" $name $name) -}}
  {{- end -}}
{{- end -}}
{{- $query := "" -}}
{{- if $narrowed -}}{{- $query = printf "?%s" (join "&" $narrowed) -}}{{- end -}}
alert: {{ $alert.name }}
expr: {{ include "certautopilot.filled" (merge (dict "text" $alert.expr) $fill) | toJson }}
{{- if and $for (not (regexMatch "^0+[smhd]$" $for)) }}
for: {{ $for }}
{{- end }}
labels:
  {{- toYaml (merge (dict "severity" (default $alert.severity $own.severity)) ($alert.labels | default dict) (deepCopy $rule.additionalRuleLabels)) | nindent 2 }}
annotations:
  summary: {{ include "certautopilot.filled" (merge (dict "text" $alert.summary) $fill) | toJson }}
  description: {{ printf "%s%s" (include "certautopilot.filled" (merge (dict "text" $alert.description) $fill)) $place | toJson }}
  runbook_url: {{ default (printf "%s/%s.md" (trimSuffix "/" $rule.runbookUrl) $alert.page) $own.runbookUrl | toJson }}
  dashboard_url: {{ printf "%s/d/certautopilot%s" (trimSuffix "/" $rule.grafanaUrl) $query | toJson }}
{{- end -}}
