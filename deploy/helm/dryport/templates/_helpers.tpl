{{- define "dryport.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "dryport.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dryport.labels" -}}
{{ include "dryport.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "dryport.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* dryport.conf: the values of `config`, and where the mounted lists are. */}}
{{- define "dryport.config" -}}
{{- range $key, $value := .Values.config }}
{{ $key }}={{ $value }}
{{- end }}
{{- if .Values.referenceConfigMap }}
reference.dir=/etc/dryport/reference
{{- end }}
{{- end -}}

{{/* How the listener is spoken to: HTTP or HTTPS. */}}
{{- define "dryport.scheme" -}}
{{- if or .Values.listenerTls (and (not .Values.existingSecret) (index .Values.config "http.tls.certificate")) -}}
HTTPS
{{- else -}}
HTTP
{{- end -}}
{{- end -}}

{{/* A Deployment of one role: (dict "root" $ "role" "aggregate" "replicas" 2) */}}
{{- define "dryport.deployment" -}}
{{- $root := .root -}}
{{- $values := index $root.Values .role -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "dryport.name" $root }}-{{ .role }}
  labels:
    {{- include "dryport.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
spec:
  {{- if .replicas }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  # The group gives each new process its share before an old one goes.
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "dryport.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .role }}
  template:
    metadata:
      labels:
        {{- include "dryport.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .role }}
      annotations:
        # another configuration: other pods
        checksum/config: {{ include "dryport.config" $root | sha256sum }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "dryport.name" $root }}
      automountServiceAccountToken: false
      # A Service named dryport would set DRYPORT_* variables, which are settings here.
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: dryport
          image: {{ include "dryport.image" $root | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [run, -c, /etc/dryport/config/dryport.conf, -X, role={{ .role }}, -X, "http.listen=0.0.0.0:9464"]
          ports:
            - {name: http, containerPort: 9464, protocol: TCP}
          # Alive while it restores, which may take minutes; not ready before it is done.
          startupProbe:
            httpGet: {path: /livez, port: http, scheme: {{ include "dryport.scheme" $root }}}
            periodSeconds: 5
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /livez, port: http, scheme: {{ include "dryport.scheme" $root }}}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: http, scheme: {{ include "dryport.scheme" $root }}}
            periodSeconds: 5
            timeoutSeconds: 5
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: config, mountPath: /etc/dryport/config, readOnly: true}
            {{- if $root.Values.referenceConfigMap }}
            - {name: reference, mountPath: /etc/dryport/reference, readOnly: true}
            {{- end }}
            {{- range $root.Values.secretMounts }}
            - {name: {{ printf "secret-%s" . | quote }}, mountPath: {{ printf "/etc/dryport/secrets/%s" . | quote }}, readOnly: true}
            {{- end }}
      volumes:
        - name: config
          {{- if $root.Values.existingSecret }}
          secret: {secretName: {{ $root.Values.existingSecret | quote }}, defaultMode: 0440}
          {{- else }}
          configMap: {name: {{ include "dryport.name" $root | quote }}}
          {{- end }}
        {{- if $root.Values.referenceConfigMap }}
        - name: reference
          configMap: {name: {{ $root.Values.referenceConfigMap | quote }}}
        {{- end }}
        {{- range $root.Values.secretMounts }}
        - name: {{ printf "secret-%s" . | quote }}
          secret: {secretName: {{ . | quote }}, defaultMode: 0440}
        {{- end }}
      topologySpreadConstraints:
        {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ $key }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "dryport.selector" $root | nindent 14 }}
              app.kubernetes.io/component: {{ $.role }}
        {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}
