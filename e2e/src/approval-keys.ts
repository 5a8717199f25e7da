import { ensureApprovalKeys } from '@larry/audit';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The signing keys of this test process: runs are begun with the private half, workers verify with the public one. */
export const approvalKeys = ensureApprovalKeys(mkdtempSync(path.join(tmpdir(), 'larry-e2e-keys-')));
