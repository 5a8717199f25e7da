import type { INestApplication } from '@nestjs/common';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { openApiDocument } from './openapi';

/** The files of the reader that a browser loads; nothing else of that package is served. */
const assets: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Larry meta-coordinator</title><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="reader"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body></html>`;
const start = "SwaggerUIBundle({ url: 'docs-json', dom_id: '#reader', deepLinking: true });";

/** `/docs-json`: the OpenAPI document; `/docs`: a page that reads it. Made when first asked for. */
export function docsMiddleware(app: INestApplication) {
  let document: Promise<string> | undefined;
  const answer = async (name: string, response: ServerResponse): Promise<boolean> => {
    if (name === '/docs-json') return send(response, 'application/json; charset=utf-8', await (document ??= openApiDocument(app).then((d) => JSON.stringify(d))));
    if (name === '/docs') return send(response, 'text/html; charset=utf-8', page);
    if (name === '/docs/start.js') return send(response, 'text/javascript; charset=utf-8', start);
    const asset = name.startsWith('/docs/') ? name.slice('/docs/'.length) : '';
    const type = Object.hasOwn(assets, asset) ? assets[asset] : undefined;
    if (!type) return false;
    return send(response, type, await readFile(path.join(path.dirname(require.resolve('swagger-ui-dist/package.json')), asset)));
  };
  return (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    const name = (request.url ?? '').split('?')[0] ?? '';
    if (request.method !== 'GET' || !name.startsWith('/docs')) return next();
    answer(name, response).then((answered) => (answered ? undefined : next()), next);
  };
}

function send(response: ServerResponse, type: string, body: string | Buffer): true {
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Security-Policy', "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:");
  response.end(body);
  return true;
}
