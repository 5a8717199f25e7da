/** What an asset can be tagged as. */
export const tags = ['database', 'ai', 'monitoring', 'security', 'network', 'storage', 'messaging', 'automation', 'ci', 'web', 'configuration', 'system'] as const;
export type Tag = (typeof tags)[number];

/**
 * Words that name software, by what it is for; the first row that fits decides, so that an exporter of PostgreSQL is
 * monitoring. Looked for in image, chart, labels and name, in this order.
 */
export const softwareRules: readonly [Tag, string][] = [
  ['monitoring', 'exporter prometheus grafana loki alertmanager tempo jaeger otel opentelemetry fluent-bit fluentbit fluentd promtail kube-state-metrics metrics-server victoriametrics victoria-metrics vmagent thanos mimir datadog zipkin blackbox uptime-kuma netdata'],
  ['security', 'cert-manager vault keycloak oauth2-proxy dex authelia authentik falco trivy kyverno gatekeeper sealed-secrets external-secrets crowdsec kube-bench teleport openldap spire kubescape'],
  ['storage', 'longhorn minio rook ceph local-path-provisioner nfs openebs velero seaweedfs csi restic democratic-csi'],
  ['messaging', 'kafka strimzi rabbitmq nats mosquitto emqx pulsar activemq redpanda zookeeper'],
  ['ai', 'ollama vllm llama langchain langfuse langgraph qdrant weaviate milvus chroma chromadb kserve tritonserver text-generation-inference jupyter jupyterhub mlflow comfyui stable-diffusion whisper litellm open-webui flowise dify kubeflow ray huggingface llm ai-agent agent-runtime'],
  ['database', 'postgres postgresql postgis timescaledb pgvector pgbouncer pgadmin pgadmin4 cloudnative-pg cnpg patroni spilo mysql mariadb percona mongo mongodb redis valkey keydb dragonfly memcached cassandra scylla cockroach cockroachdb clickhouse elasticsearch opensearch influxdb neo4j etcd couchdb adminer supabase'],
  ['network', 'traefik ingress-nginx nginx-ingress haproxy envoy istio pilot linkerd cilium calico flannel metallb coredns external-dns klipper-lb kube-vip tailscale wireguard cloudflared kong consul adguard pihole'],
  ['automation', 'n8n airflow prefect temporal node-red home-assistant rundeck huginn'],
  ['ci', 'jenkins gitlab gitlab-runner gitea forgejo argocd argo-cd argo-workflows fluxcd source-controller kustomize-controller helm-controller tekton drone woodpecker actions-runner harbor registry sonarqube nexus buildkit renovate'],
  ['web', 'nginx httpd apache caddy wordpress ghost nextcloud tomcat drupal joomla frontend web webapp ui'],
];

/** Ports that are nearly always one protocol's. The weakest rule: used only when no name says anything. */
export const portRules: readonly [number, Tag, string][] = [
  [5432, 'database', 'PostgreSQL'],
  [3306, 'database', 'MySQL'],
  [27017, 'database', 'MongoDB'],
  [6379, 'database', 'Redis'],
  [9042, 'database', 'Cassandra'],
  [1433, 'database', 'SQL Server'],
  [9200, 'database', 'Elasticsearch'],
  [9092, 'messaging', 'Kafka'],
  [5672, 'messaging', 'AMQP'],
  [4222, 'messaging', 'NATS'],
  [1883, 'messaging', 'MQTT'],
  [9100, 'monitoring', 'node exporter'],
  [9090, 'monitoring', 'Prometheus'],
  [4317, 'monitoring', 'OTLP'],
  [11434, 'ai', 'Ollama'],
];

/** What the kinds of Kubernetes are for, whatever they are called. */
export const kindRules: Readonly<Record<string, Tag>> = {
  Service: 'network', Ingress: 'network', IngressClass: 'network', NetworkPolicy: 'network', Endpoints: 'network', EndpointSlice: 'network',
  Secret: 'security', ServiceAccount: 'security', Role: 'security', RoleBinding: 'security', ClusterRole: 'security', ClusterRoleBinding: 'security',
  ValidatingWebhookConfiguration: 'security', MutatingWebhookConfiguration: 'security', ValidatingAdmissionPolicy: 'security', ValidatingAdmissionPolicyBinding: 'security', CertificateSigningRequest: 'security',
  PersistentVolume: 'storage', PersistentVolumeClaim: 'storage', StorageClass: 'storage', CSIDriver: 'storage', VolumeSnapshot: 'storage',
  ConfigMap: 'configuration',
  Namespace: 'system', Node: 'system', CustomResourceDefinition: 'system', APIService: 'system', PriorityClass: 'system', RuntimeClass: 'system', ResourceQuota: 'system', LimitRange: 'system',
  PodDisruptionBudget: 'system', HorizontalPodAutoscaler: 'system', PodTemplate: 'system', FlowSchema: 'system', PriorityLevelConfiguration: 'system', IPAddress: 'system', ServiceCIDR: 'system', DeviceClass: 'system',
};

/** What the groups of well-known custom resources are for; a group ends with the text. */
export const groupRules: readonly [string, Tag][] = [
  ['cert-manager.io', 'security'], ['kyverno.io', 'security'], ['external-secrets.io', 'security'], ['bitnami.com', 'security'], ['aquasecurity.github.io', 'security'],
  ['traefik.io', 'network'], ['traefik.containo.us', 'network'], ['gateway.networking.k8s.io', 'network'], ['istio.io', 'network'], ['cilium.io', 'network'], ['metallb.io', 'network'],
  ['monitoring.coreos.com', 'monitoring'], ['grafana.com', 'monitoring'], ['opentelemetry.io', 'monitoring'],
  ['postgresql.cnpg.io', 'database'], ['acid.zalan.do', 'database'], ['mongodb.com', 'database'], ['redis.opstreelabs.in', 'database'],
  ['kafka.strimzi.io', 'messaging'], ['rabbitmq.com', 'messaging'],
  ['longhorn.io', 'storage'], ['velero.io', 'storage'], ['ceph.rook.io', 'storage'], ['snapshot.storage.k8s.io', 'storage'],
  ['argoproj.io', 'ci'], ['fluxcd.io', 'ci'], ['tekton.dev', 'ci'],
  ['kserve.io', 'ai'], ['ray.io', 'ai'], ['kubeflow.org', 'ai'],
  ['cattle.io', 'system'],
];
