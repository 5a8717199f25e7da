import type { Rule } from '../family';

const images = 'Kubernetes 1.36, Images: Image names';

/** The rules of this family. */
export const imageRules: readonly Rule[] = [
  {
    id: 'image/moving-tag',
    title: 'A container runs whatever the tag latest points to',
    severity: 'medium',
    why: 'a restart can bring other code, and nobody can say what ran yesterday',
    source: `${images}; Kubernetes 1.36, Configuration good practices`,
  },
  {
    id: 'image/no-digest',
    title: 'An image is named by a tag alone',
    severity: 'low',
    why: 'who may push to the registry can move the tag; that needs an account there first',
    source: `${images}; OCI Distribution Specification 1.1, Pulling manifests`,
  },
  {
    id: 'image/bad-name',
    title: 'The name of an image cannot be read',
    severity: 'low',
    why: 'nothing can be said of it, and the kubelet will not pull it either',
    source: images,
  },
  {
    id: 'image/foreign-registry',
    title: 'An image comes from a registry that is not on your list',
    severity: 'medium',
    why: 'the list is yours: an image from elsewhere went around it',
    source: 'NSA/CISA Kubernetes Hardening Guide 1.2, Image scanning; the option registries',
  },
];
