import type { LogSink } from '@larry/simulation';
import { createServer, type Server } from 'node:https';
import type { ServerResponse } from 'node:http';

/** One life of a container: what it wrote, and who reads along. */
interface Life {
  restart: number;
  lines: string[];
  readers: Set<ServerResponse>;
  ended: boolean;
}

/** What containers write, and the part of a kubelet's API that `kubectl logs` is answered from (kubernetes, `pkg/kubelet/server`: `/containerLogs`). */
export class KubeletLogs implements LogSink {
  private readonly lives = new Map<string, Life[]>();

  append(namespace: string, pod: string, container: string, restart: number, lines: { time: string; line: string }[]): void {
    const key = `${namespace}/${pod}/${container}`;
    const all = this.lives.get(key) ?? [];
    this.lives.set(key, all);
    let life = all.find((each) => each.restart === restart);
    if (!life) all.push((life = { restart, lines: [], readers: new Set(), ended: false }));
    for (const { line } of lines) {
      life.lines.push(`${line}\n`);
      for (const reader of life.readers) reader.write(`${line}\n`);
    }
  }

  end(namespace: string, pod: string, container: string, restart: number): void {
    const life = this.lives.get(`${namespace}/${pod}/${container}`)?.find((each) => each.restart === restart);
    if (!life) return;
    life.ended = true;
    for (const reader of life.readers) reader.end();
    life.readers.clear();
  }

  forget(namespace: string, pod: string): void {
    for (const key of [...this.lives.keys()]) if (key.startsWith(`${namespace}/${pod}/`)) this.lives.delete(key);
  }

  /** The HTTPS server that the API server asks; `tailLines`, `previous` and `follow` are all that is understood. */
  serve(tls: { key: string; cert: string }): Server {
    return createServer(tls, (request, response) => {
      const url = new URL(request.url ?? '/', 'https://kubelet');
      const [, namespace, pod, container] = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(url.pathname) ?? [];
      const life = this.lives.get(`${namespace}/${pod}/${container}`)?.at(url.searchParams.get('previous') === 'true' ? -2 : -1);
      if (!life) {
        response.writeHead(404).end('there is no such log\n');
        return;
      }
      const tail = url.searchParams.get('tailLines');
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write((tail === null ? life.lines : life.lines.slice(-Number(tail))).join(''));
      if (url.searchParams.get('follow') !== 'true' || life.ended) {
        response.end();
        return;
      }
      life.readers.add(response);
      response.on('close', () => life.readers.delete(response));
    });
  }
}
