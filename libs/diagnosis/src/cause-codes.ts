/** Every cause that `larry diagnose` can name, by class. The codes are public: answers are compared by them. */
export const causeClasses = {
  admission: [
    'missing_service_account',
    'namespace_cpu_quota_exceeded',
    'namespace_memory_quota_exceeded',
    'namespace_pod_quota_exceeded',
    'namespace_service_quota_exceeded',
    'namespace_storage_quota_exceeded',
    'admission_webhook_unavailable',
    'admission_denied',
    'pod_security_violation',
    'limit_range_violation',
  ],
  scheduling: [
    'cpu_capacity_mismatch',
    'memory_capacity_mismatch',
    'extended_resource_capacity_mismatch',
    'node_affinity_mismatch',
    'node_selector_mismatch',
    'node_cordon_mismatch',
    'pod_anti_affinity_conflict',
    'pod_affinity_mismatch',
    'topology_spread_conflict',
    'host_port_conflict',
    'volume_node_affinity_conflict',
    'taint_toleration_mismatch',
    'pv_binding_occupied',
    'pvc_access_mode_mismatch',
    'pvc_capacity_mismatch',
    'pvc_selector_mismatch',
    'pvc_storage_class_mismatch',
    'missing_volume_claim',
    'volume_provisioning_failed',
  ],
  startup: [
    'image_registry_dns_failure',
    'image_registry_unreachable',
    'incorrect_image_reference',
    'missing_image_pull_secret',
    'missing_secret_binding',
    'missing_config_map',
    'missing_secret_key',
    'volume_mount_permission_denied',
    'read_only_file_system',
    'invalid_command',
    'invalid_environment',
    'init_container_failed',
    'image_platform_mismatch',
    'run_as_non_root_violation',
    'volume_attached_elsewhere',
    'volume_mount_failed',
    'mount_type_mismatch',
  ],
  running: [
    'oom_killed',
    'liveness_probe_incorrect_port',
    'liveness_probe_incorrect_protocol',
    'liveness_probe_incorrect_path',
    'liveness_probe_incorrect_timing',
    'readiness_probe_incorrect_port',
    'readiness_probe_incorrect_protocol',
    'readiness_probe_incorrect_path',
    'service_sidecar_port_conflict',
    'deployment_zero_replicas',
    'mysql_invalid_credentials',
    'mysql_invalid_port',
    'postgres_invalid_credentials',
    'postgres_invalid_port',
    'db_connection_exhaustion',
    'db_read_only',
    'dependency_unavailable',
    'application_error',
    'job_deadline_exceeded',
    'finalizer_pending',
  ],
  routing: [
    'service_selector_mismatch',
    'service_port_mapping_mismatch',
    'service_protocol_mismatch',
    'service_dns_resolution_failure',
    'service_env_var_address_mismatch',
    'gateway_misroute',
    'network_policy_blocks',
  ],
  infrastructure: [
    'kubelet_unavailable',
    'containerd_unavailable',
    'kube_proxy_unavailable',
    'kube_scheduler_unavailable',
    'node_pressure',
    'node_pod_network_unavailable',
    'node_network_delay',
    'node_network_packet_loss',
    'pod_network_delay',
    'pod_cpu_overload',
  ],
  pgadmin: [
    'pgadmin_invalid_email',
    'pgadmin_missing_credentials',
    'pgadmin_data_not_writable',
    'pgadmin_servers_json_invalid',
    'pgadmin_config_database_unreachable',
    'pgadmin_privileged_port',
  ],
  /** A workload that does not run, and this version does not know why: said, so that it is never taken for healthy. */
  unknown: ['unknown'],
} as const;

/** The class of a cause. */
export type CauseClass = keyof typeof causeClasses;
/** A cause's code. */
export type CauseCode = (typeof causeClasses)[CauseClass][number];

/** Every code, class by class. */
export const causeCodes: readonly CauseCode[] = Object.values(causeClasses).flat();

const classes = new Map(Object.entries(causeClasses).flatMap(([name, codes]) => codes.map((code) => [code as CauseCode, name as CauseClass] as const)));

/** The class that a code belongs to. */
export function classOfCause(cause: CauseCode): CauseClass {
  return classes.get(cause) ?? 'unknown';
}
