import type { PlaybookLibrary } from '@larry/playbook';
import { catalogDeployments } from './catalog-deployments';
import { catalogHelmReleases } from './catalog-helm-releases';
import { classifyAssets } from './classify-assets';

/** Larry-03's playbooks: those that are built, and the tasks that are not yet, each with why. */
export const developmentPlaybooks: PlaybookLibrary = {
  built: [catalogDeployments, catalogHelmReleases, classifyAssets],
  notBuilt: [
    { id: 'analyze-code-quality', why: 'static analysis of repositories is not built in this version' },
    { id: 'improve-test-coverage', why: 'measuring and writing tests is not built in this version' },
    { id: 'generate-documentation', why: 'documentation from code and catalog is not built in this version' },
    { id: 'implement-priority-feature', why: 'work on the backlog needs a model and is not built in this version' },
    { id: 'review-prs', why: 'reviews of pull requests are not built in this version' },
  ],
};
export type { Asset, AssetReference, Inventory, KindCount } from './inventory';
export type { Release, ReleaseCatalog, ReleaseRevision } from './releases';
export type { Lineage, LineageEdge, LineageKind, LineageNode } from './classify-assets/lineage';
