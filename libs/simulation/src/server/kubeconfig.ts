/** A kubeconfig for one user of the simulated server, as YAML text. */
export function kubeconfigText(address: string, ca: string, user: string, token: string): string {
  const lines = [
    'apiVersion: v1', 'kind: Config', '# SIMULATED cluster of Larry: nothing real stands behind this address', 'clusters:',
    '- name: larry-simulated', '  cluster:', `    server: https://${address}`, `    certificate-authority-data: ${Buffer.from(ca).toString('base64')}`,
    'contexts:', '- name: larry-simulated', '  context:', '    cluster: larry-simulated', `    user: ${JSON.stringify(user)}`,
    'current-context: larry-simulated', 'users:', `- name: ${JSON.stringify(user)}`, '  user:', `    token: ${JSON.stringify(token)}`,
  ];
  return `${lines.join('\n')}\n`;
}
