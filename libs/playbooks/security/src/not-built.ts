/** Tasks of this domain that are planned and not built: they report `skipped: not-built` with the reason. */
export const notBuilt: { id: string; why: string }[] = [
  { id: 'dependency-audit', why: 'reading lockfiles against OSV data is not built yet' },
  {
    id: 'automated-remediation',
    why: 'fixes as pull requests need the dependency audit and a forge; neither is built yet',
  },
];
