export { findHelm, type HelmLocation } from './helm-tool';
export { findValues, type ValueFinding, type ValueSearch } from './find-values';
export { markFor, readRelease, type HelmRelease, type HelmRevision, type ReleaseReading } from './release';
export { capabilitiesOf, type Capabilities } from './renderer';
export type { WantedOperation } from './wanted';
export { helmReleases, type HelmAnswer, type HelmReleases, type HelmReleasesOptions, type HelmRequest } from './releases';
export { refineHelmRemedies, type Refinable } from './refine-remedies';
