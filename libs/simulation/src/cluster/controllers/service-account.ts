import { ApiError } from '../api-client';
import { Controller, type ClientContext } from '../controller';
import { kinds } from '../kinds';
import { isTerminating } from '../pod-state';

/** Every namespace has a ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`. */
export class ServiceAccountController extends Controller {
  private readonly namespaces = this.watch(kinds.namespaces);
  private readonly accounts = this.watchFor(kinds.serviceAccounts, (account) => (account.metadata.name === 'default' ? [account.metadata.namespace ?? ''] : []));
  private readonly maps = this.watchFor(kinds.configMaps, (map) => (map.metadata.name === 'kube-root-ca.crt' ? [map.metadata.namespace ?? ''] : []));

  constructor(
    context: ClientContext,
    /** What stands in `ca.crt`; a simulated cluster that speaks plain HTTP has no authority. */
    private readonly rootCertificate: string,
  ) {
    super(context, 'serviceaccount');
  }

  protected async sync(namespace: string): Promise<void> {
    const found = this.namespaces.get(namespace);
    if (!found || isTerminating(found)) return;
    if (!this.accounts.get(`${namespace}/default`)) {
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
      await this.context.api.create(kinds.serviceAccounts, account, namespace).then((made) => this.accounts.observe(made), ignoreExisting);
    }
    if (!this.maps.get(`${namespace}/kube-root-ca.crt`)) {
      const annotations = { 'kubernetes.io/description': 'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc.' };
      const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-root-ca.crt', namespace, annotations }, data: { 'ca.crt': this.rootCertificate } };
      await this.context.api.create(kinds.configMaps, map, namespace).then((made) => this.maps.observe(made), ignoreExisting);
    }
  }
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof ApiError && (error.status === 409 || error.status === 404))) throw error;
}
