import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Which library may import which: `docs/architecture.md` draws the same arrows. */
const core = ['type:contracts', 'type:core'];
const boundaries = [
  { sourceTag: 'type:contracts', onlyDependOnLibsWithTags: ['type:contracts'] },
  { sourceTag: 'type:redis', onlyDependOnLibsWithTags: ['type:contracts'] },
  { sourceTag: 'type:core', onlyDependOnLibsWithTags: ['type:contracts', 'type:redis'] },
  { sourceTag: 'type:diagnosis', onlyDependOnLibsWithTags: core },
  { sourceTag: 'type:helm', onlyDependOnLibsWithTags: core },
  { sourceTag: 'type:playbook', onlyDependOnLibsWithTags: [...core, 'type:helm'] },
  { sourceTag: 'type:engine', onlyDependOnLibsWithTags: [...core, 'type:helm', 'type:redis', 'type:playbook', 'type:engine'] },
  { sourceTag: 'type:playbooks', onlyDependOnLibsWithTags: [...core, 'type:diagnosis', 'type:helm', 'type:playbook'] },
  { sourceTag: 'type:simulation', onlyDependOnLibsWithTags: ['type:contracts'] },
  { sourceTag: 'type:app', onlyDependOnLibsWithTags: [...core, 'type:diagnosis', 'type:helm', 'type:redis', 'type:playbook', 'type:engine', 'type:playbooks'] },
  { sourceTag: 'type:cli', onlyDependOnLibsWithTags: [...core, 'type:diagnosis', 'type:helm', 'type:redis', 'type:playbook', 'type:engine', 'type:playbooks', 'type:simulation'] },
  { sourceTag: 'scope:shared', onlyDependOnLibsWithTags: ['scope:shared'] },
  { sourceTag: 'scope:infrastructure', onlyDependOnLibsWithTags: ['scope:shared', 'scope:infrastructure'] },
  { sourceTag: 'scope:security', onlyDependOnLibsWithTags: ['scope:shared', 'scope:security'] },
  { sourceTag: 'scope:development', onlyDependOnLibsWithTags: ['scope:shared', 'scope:development'] },
  { sourceTag: 'scope:all', onlyDependOnLibsWithTags: ['*'] },
];

/** A third-party client has one owner library; everybody else uses that library's interface. */
const owners = {
  ioredis: 'libs/redis',
  kafkajs: 'libs/events',
  '@kubernetes/client-node': 'libs/kube',
};
/** A playbook library sees the cluster and the playbook contract, and nothing of how runs are coordinated. */
const notInPlaybooks = ['@larry/redis', '@larry/coordination', '@larry/budget', '@larry/events', '@larry/coordinator', '@larry/service', '@nestjs/*'];

const restricted = (names, why) => ({
  'no-restricted-imports': ['error', { patterns: names.map((group) => ({ group: [group, `${group}/*`], message: why })) }],
});

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/*.js', '**/*.mjs', '**/__fixtures__/**'] },
  { plugins: { '@nx': nx } },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.spec.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: true, allow: [], depConstraints: boundaries }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: [...Object.values(owners).map((o) => `${o}/**`), 'libs/playbook/**', 'libs/playbooks/**', 'bench/**', 'e2e/**'],
    rules: restricted(Object.keys(owners), 'This client has one owner library (docs/architecture.md): import that library instead.'),
  },
  ...Object.entries(owners).map(([client, owner]) => ({
    files: [`${owner}/**/*.ts`],
    rules: restricted(
      Object.keys(owners).filter((c) => c !== client),
      'This client has one owner library (docs/architecture.md): import that library instead.',
    ),
  })),
  {
    files: ['libs/playbook/**/*.ts', 'libs/playbooks/**/*.ts'],
    rules: restricted([...Object.keys(owners), ...notInPlaybooks], 'A playbook knows no Redis and no Nest (docs/architecture.md).'),
  },
);
