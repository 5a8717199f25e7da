import { createServer as createHttp } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createNet } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { selfSigned } from './certificate';

/** A listening port that answers plain HTTP and TLS alike. */
export interface Listener {
  /** `127.0.0.1:PORT`. */
  address: string;
  /** The certificate authority of the TLS side, PEM. */
  ca: string;
  close(): Promise<void>;
}

/** The first byte of a TLS connection (a handshake record); no HTTP method starts with it. */
const TLS_HANDSHAKE = 0x16;

/** Listens once for both: in-process clients use HTTP, kubectl and helm need TLS to send their token. */
export async function listenOn(host: string, port: number, answer: RequestListener): Promise<Listener> {
  // The certificate lives on the real clock even where the server's own clock is a test's.
  const { key, cert } = selfSigned(new Date());
  const plain = createHttp(answer);
  const secure = createHttps({ key, cert }, answer);
  for (const server of [plain, secure]) server.keepAliveTimeout = 60_000;
  const sockets = new Set<Socket>();
  const front = createNet((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (!first) return socket.destroy();
      socket.unshift(first);
      (first[0] === TLS_HANDSHAKE ? secure : plain).emit('connection', socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject);
    front.listen(port, host, resolve);
  });
  const { address, port: taken, family } = front.address() as AddressInfo;
  return {
    address: `${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    ca: cert,
    close: () => new Promise((resolve) => {
      front.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    }),
  };
}
