import { maskedText, showsSecretOf } from './masked-text';

const canary = 'hunter2canary';

describe('a manifest for people', () => {
  it.each<[string, string]>([
    ['behind an alias', `global: &pw ${canary}\npostgres:\n  password: *pw\n`],
    ['in a collection behind an alias', `a: &m {x: 1, y: ${canary}}\npassword: *m\n`],
    ['in an element behind an alias', `x: &e\n  - name: DB_PASSWORD\n    value: ${canary}\ny: *e\n`],
    ['of a variable behind an alias', `env:\n- {name: A, value: &p ${canary}}\n- {name: DB_PASSWORD, value: *p}\n`],
    ['in a Secret behind an alias', `x: &d {foo: ${canary}}\nkind: Secret\nstringData: *d\n`],
    ['in a Secret that is merged', `x: &d\n  foo: ${canary}\nkind: Secret\nstringData:\n  <<: *d\n`],
    ['in a Secret merged in place', `kind: Secret\nstringData:\n  <<: {foo: ${canary}}\n`],
    ['in the data of a Secret that is merged as a whole', `x: &d\n  stringData: {foo: ${canary}}\nkind: Secret\n<<: *d\n`],
    ['in a map that is merged', `x: &d {password: ${canary}}\nauth:\n  <<: [*d, {a: 1}]\n`],
    ['twice in a Secret', `kind: Secret\nstringData:\n  foo: ${canary}\n  foo: ${canary}B\n`],
    ['in a Secret under odd names', `kind: Secret\ndata:\n  1: ${canary}\n  [a, b]: ${canary}\n  ? |\n    ${canary}\n  : x\n`],
    ['in a Secret of a List', `kind: List\nitems:\n- kind: Secret\n  stringData: {foo: &x ${canary}}\n- kind: ConfigMap\n  data: {a: *x}\n`],
    ['in YAML inside a Secret', `kind: Secret\nstringData:\n  values.yaml: |\n    a: ${canary}\n`],
    ['in YAML inside a password', `password: |\n  a: ${canary}\n`],
    ['behind an alias in the values of a chart', `kind: HelmChart\nspec:\n  valuesContent: |\n    g: &pw ${canary}\n    auth:\n      password: *pw\n`],
    ['in values whose first line stands deeper', `kind: HelmChart\nspec:\n  valuesContent: |2\n                        # x\n      auth:\n        password: ${canary}\n`],
    ['as a PEM key in a comment', `a: 1\n# -----BEGIN RSA PRIVATE KEY-----\n# ${canary}\n# ${canary}\n# -----END RSA PRIVATE KEY-----\nb: 2\n`],
    ['in a comment after a secret', `env:\n- name: DB_PASSWORD # ${canary}\n  # ${canary}\n  value: "x" # was ${canary}\n`],
    ['in a comment after an alias', `a: &p foofoo # ${canary}\npassword: *p # ${canary}\n`],
    ['in a comment of a block', `password: | # ${canary}\n  x\n`],
  ])('shows no secret %s, and keeps the number of its lines', (_, text) => {
    const shown = maskedText('a.yaml', text);
    expect(shown).not.toContain('canary');
    expect(shown.split('\n')).toHaveLength(text.split('\n').length);
  });

  it('shows what is no secret', () => {
    const text = 'a: &x 1 # one\nb: *x\nenv:\n- name: LOG # level\n  value: debug\nkeys: {<<: {a: 1}}\nspec:\n  valuesContent: |\n    image: x # pinned\n    password: hunter2canary\n';
    expect(maskedText('a.yaml', text)).toBe(text.replace(canary, '[redacted]'));
  });

  it('ends on an alias within itself, and on aliases that stand for too much', () => {
    expect(maskedText('a.yaml', `a: &a [*a, ${canary}]\n`)).not.toContain('canary');
    const bomb = `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]\n`).join('')}`;
    expect(maskedText('a.yaml', bomb)).toContain('[redacted]');
  });

  it('tells whether a text holds a secret of it, as a word of its own', () => {
    const text = `a: &p ${canary}\npassword: *p\nimage: x\n`;
    expect([`b: ${canary}!`, 'image: x', `${canary}4`, 'password'].map((shown) => showsSecretOf('a.yaml', text, shown))).toEqual([true, false, false, false]);
  });
});
