const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** Names of images with what is read from them; undefined where there is nothing to read. */
export const imageNames: [string, object | undefined][] = [
  ['nginx', { registry: 'docker.io', repository: 'library/nginx' }],
  ['nginx:1.29', { registry: 'docker.io', repository: 'library/nginx', tag: '1.29' }],
  ['dpage/pgadmin4:9', { registry: 'docker.io', repository: 'dpage/pgadmin4', tag: '9' }],
  ['ghcr.io/acme/app', { registry: 'ghcr.io', repository: 'acme/app' }],
  ['localhost/app:1', { registry: 'localhost', repository: 'app', tag: '1' }],
  ['registry:5000/app', { registry: 'registry:5000', repository: 'app' }],
  ['[fd00::1]:5000/app:1', { registry: '[fd00::1]:5000', repository: 'app', tag: '1' }],
  [`ghcr.io/acme/app@${digest}`, { registry: 'ghcr.io', repository: 'acme/app', digest }],
  [`ghcr.io/acme/app:1@${digest}`, { registry: 'ghcr.io', repository: 'acme/app', tag: '1', digest }],
  ['Nginx', undefined],
  ['nginx:', undefined],
  ['app@sha256:short', undefined],
  ['a b', undefined],
  ['$(IMAGE)', undefined],
  ['x'.repeat(600), undefined],
];
