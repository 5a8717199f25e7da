/** Words that end the name of a secret: `dbPassword`, `AWS_SECRET_ACCESS_KEY`, `.dockerconfigjson`. */
const secretEndings = [
  'password', 'passwords', 'passwd', 'passphrase', 'passcode', 'pwd', 'pass', 'secret', 'token', 'credential', 'credentials',
  'apikey', 'api key', 'access key', 'access key id', 'secret key', 'secret id', 'private key', 'privatekey', 'signing key',
  'encryption key', 'master key', 'account key', 'license key', 'secret key base', 'tls key', 'ssh key', 'id rsa', 'id ed25519',
  'authorization', 'cookie', 'dsn', 'connection string', 'dockerconfigjson', 'dockercfg', 'htpasswd', 'pgpass', 'kubeconfig',
  'client key data', 'jwt', 'otp',
]; // prettier-ignore

/** What every such name contains: most names are let go by this one look. */
const hint = /pass|pwd|secret|token|cred|key|auth|cookie|dsn|connection|docker|kubeconfig|jwt|otp|rsa|ed25519/i;

/** Names that end like a secret and hold the name of one, or a policy. */
const harmlessNames = new Set(['existing secret', 'existingsecret', 'pull secret', 'image pull secret', 'bypass', 'auto mount token', 'automount service account token']);

/**
 * True when a field, variable, flag or file of this name holds a secret by custom. `passwordSecretName`, `PASSWORD_FILE`,
 * `secretKeyRef`, `tokens_used` hold none.
 */
export function isSecretKey(name: string): boolean {
  if (name.length > 200 || !hint.test(name)) return false;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .replace(/[ \d]+$/, '')
    .trim();
  if (words === 'auth') return true;
  if (harmlessNames.has(words)) return false;
  const padded = ` ${words}`;
  return secretEndings.some((ending) => padded.endsWith(` ${ending}`)) || /(password|passwd|secret|requirepass|masterauth)$/.test(words);
}
