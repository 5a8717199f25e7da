import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GitBranch } from '@larry/contracts';
import { blobId } from './blob-id';

/** A repository with a work tree of its own, as a person has it. */
export interface TestClone {
  readonly folder: string;
  /** Runs git there as that person, and gives what it says, trimmed. @throws where git fails */
  git(...args: string[]): string;
  /** Writes files and commits them. Returns the commit. */
  commit(files: Record<string, string>): string;
  /** HEAD, the index, the configuration and every file of the work tree, byte for byte: what no change of Larry's may touch. */
  untouchable(): Record<string, string>;
  remove(): void;
}

/** A fresh repository on branch `main`; `init` goes to `git init`. */
export function aClone(...init: string[]): TestClone {
  const folder = mkdtempSync(join(tmpdir(), 'larry-clone-'));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=A Person', '-c', 'user.email=a.person@example.com', '-c', 'commit.gpgsign=false', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  git('init', '-q', '--template=', '-b', 'main', ...init);
  return {
    folder,
    git,
    commit(files) {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), text);
      }
      git('add', '-A');
      git('commit', '-q', '-m', 'what is there');
      return git('rev-parse', 'HEAD');
    },
    untouchable() {
      const files = [...filesBelow(folder).filter((f) => !f.startsWith(join(folder, '.git/'))), ...['HEAD', 'index', 'config', 'refs/heads/main'].map((f) => join(folder, '.git', f))];
      return Object.fromEntries(files.map((file) => [file, `${createHash('sha256').update(readFileSync(file)).digest('hex')} ${statSync(file).mtimeMs}`]));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A Deployment `shop/cart` in a file of its own; its image has a comment. */
export const cartManifest = (image = 'cart:2.0'): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  namespace: shop
spec:
  template:
    spec:
      containers:
        - name: cart
          image: ${image} # pinned
`;

/** The change of that image to `cart:1.9`, in a file that the clone has. `text`: how it is there. */
export function aCartBranch({ git }: Pick<TestClone, 'git'>, file = 'apps/shop/cart.yaml', text = cartManifest()): GitBranch {
  const before = git('rev-parse', `HEAD:${file}`);
  return {
    branch: 'larry/incorrect-image-reference-shop-cart-1a2b3c4d',
    file,
    before,
    after: blobId(text.replace('cart:2.0', 'cart:1.9'), before),
    declares: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'cart' },
    edits: [{ document: 0, path: ['spec', 'template', 'spec', 'containers', 0, 'image'], set: 'cart:1.9' }],
    message: 'fix(shop): incorrect image reference of Deployment cart\n\ncart cannot pull its image\n',
    wanted: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'cart:1.9' }],
    diff: `--- a/${file}\n+++ b/${file}\n@@ -11,1 +11,1 @@\n-          image: cart:2.0 # pinned\n+          image: cart:1.9 # pinned\n`,
  };
}

function filesBelow(at: string): string[] {
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? filesBelow(join(at, entry.name)) : entry.isFile() ? [join(at, entry.name)] : []));
}
