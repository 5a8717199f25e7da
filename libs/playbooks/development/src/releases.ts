/** One revision of a release, as Helm's record has it. Texts are printable and redacted. */
export interface ReleaseRevision {
  revision: number;
  /** `deployed`, `superseded`, `failed`, `pending-upgrade`, …: Helm's own words. */
  status: string;
  /** `unknown` where only labels could be read. */
  chartVersion: string;
  updatedAt?: string;
}

/** One Helm release with its latest revision. */
export interface Release {
  /** `namespace/name`. */
  id: string;
  namespace: string;
  name: string;
  revision: number | 'unknown';
  status: string;
  chart: string;
  chartVersion: string;
  appVersion: string;
  updatedAt?: string;
  description?: string;
  /** Paths of the values that the user set (`auth.existingSecret`); never the values. At most 100. */
  valueKeys: string[];
  /** Objects of the manifest, hooks left out; absent where it could not be read. */
  manifestObjects?: number;
  hooks?: number;
  storage: 'Secret' | 'ConfigMap' | 'unknown';
  /** Newest first, at most 50. */
  revisions: ReleaseRevision[];
}

/** Artifact `releases` of `catalog-helm-releases`. */
export interface ReleaseCatalog {
  takenAt: string;
  releases: Release[];
  /** Helm's records as they were, for comparing later: which, in what state, and a digest of the content. */
  records: { id: string; status: string; digest: string }[];
  /** Records that cannot be decoded, by name. */
  corrupt: string[];
  /** True where the records could not be read and releases are known by their marks on objects alone. */
  fromMarks: boolean;
}
