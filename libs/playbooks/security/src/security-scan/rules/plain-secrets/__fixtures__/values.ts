// Made up, in parts, so that no scanner of repositories takes them for real ones.
const twenty = 'abcdefghij0123456789';

/** Values by what they are. */
export const secretValues = {
  awsKey: `AKIA${'ABCDEFGHIJ234567'}`,
  githubToken: `ghp_${twenty}${twenty}`,
  jwt: ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'c2lnbmF0dXJlLWhlcmU'].join('.'),
  privateKey: ['-----BEGIN RSA', 'PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----'].join(' '),
  urlWithPassword: 'postgres://app:hunter2hunter2@db.database.svc:5432/app',
} as const;
