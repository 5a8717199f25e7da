/** The index of OpenAPI documents: none yet. */
export const openApiIndex = (): unknown => ({ paths: {} });
