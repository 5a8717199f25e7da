/** A pod's spec that this family has nothing to say about. */
export function hardened(): Record<string, unknown> {
  const resources = { limits: { memory: '64Mi' }, requests: { cpu: '10m', memory: '64Mi' } };
  return {
    automountServiceAccountToken: false,
    containers: [{ name: 'app', image: 'a:1', resources, securityContext: { readOnlyRootFilesystem: true } }],
  };
}
