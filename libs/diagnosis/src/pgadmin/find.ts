import { listOf, textOf, valueIn } from '@larry/contracts';

/** The place of PgAdmin's container among `containers`, or -1: by the image `pgadmin4`, or by the variable of its entrypoint. */
export function pgadminIndex(podSpec: unknown): number {
  return listOf(valueIn(podSpec, 'containers')).findIndex(
    (container) => /(?:^|\/)pgadmin4(?:[:@]|$)/.test(textOf(valueIn(container, 'image')) ?? '') || listOf(valueIn(container, 'env')).some((entry) => valueIn(entry, 'name') === 'PGADMIN_DEFAULT_EMAIL'),
  );
}
