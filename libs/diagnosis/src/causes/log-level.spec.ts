import { isCalm, lastErrorLine } from './log-level';

describe('the level of a log line', () => {
  it.each([
    ['a word first', 'INFO listening on :8080'],
    ['after a time', '2026-06-02T10:00:00.000Z INFO mail: "connection refused"'],
    ['zap', '2026-06-02T10:00:11.000Z\tINFO\tstore.go:88\topened\t{"title": "no such host"}'],
    ['log4j', '10:00:00 [main] INFO  org.example.App - connection refused'],
    ['Spring', '2026-06-02 10:00:00.123  INFO 1 --- [main] c.e.App : Access denied for user'],
    ['gunicorn', '[2026-06-02 09:41:09 +0000] [1] [INFO] Starting gunicorn 23.0.0'],
    ['nginx', '2026/06/02 09:41:09 [notice] 7#7: exiting'],
    ['Apache', '[Tue Jun 02 09:41:09.123 2026] [core:notice] [pid 1] AH00094: Command line'],
    ['MySQL', '2026-06-02T09:41:09.123456Z 0 [Note] [MY-010747] [Server] Plugin is disabled'],
    ['.NET', 'info: Microsoft.Hosting.Lifetime[0] now listening'],
    ['Python', 'INFO:root:timed out'],
    ['env_logger', '[2026-06-02T10:00:00Z DEBUG app] connection refused'],
    ['klog', 'I0602 10:22:33.444555       1 main.go:12] read-only file system'],
    ['JSON', '{"ts":1,"level":"info","msg":"panic: FATAL"}'],
    ['ECS', '{"@timestamp":"2026-06-02","log.level":"INFO","message":"Error: x"}'],
    ['Google', '{"severity":"INFO","message":"Error: x"}'],
    ['pino', '{"level":30,"time":1780000000000,"msg":"Error: x"}'],
    ['logfmt', 'ts=2026-06-02 caller=main.go lvl=debug msg="connection refused"'],
    ['logrus', 'time="2026-06-02T10:00:00Z" level=info msg="Error: x"'],
  ])('is below a warning in %s', (_, line) => expect(isCalm(line)).toBe(true));

  it.each([
    ['none', 'dial tcp 10.43.9.9:5432: connect: connection refused'],
    ['a warning', 'WARN retrying: level=info'],
    ['an error that quotes', '2026-06-02T10:00:00Z ERROR upstream said {"level":"info"}'],
    ['klog', 'E0602 10:22:33.444555       1 main.go:12] level=info'],
    ['pino', '{"level":50,"msg":"x"}'],
    ['JSON', '{"level":"error","msg":"see [INFO]"}'],
    ['PostgreSQL, whose LOG may be an error', '2026-06-02 09:00:00.181 UTC [1] LOG:  could not bind IPv4 address "0.0.0.0": Address already in use'],
    ['ordinary words', 'Info about the failure is at /tmp/x'],
    ['a setting', 'debug mode: Permission denied for /var/log'],
    ['pgAdmin', "WARNING: Failed to set ACL on the directory containing the configuration database:"],
  ])('is not below a warning in %s', (_, line) => expect(isCalm(line)).toBe(false));

  it('finds the last line in which a program says itself that it fails', () => {
    const log = (...lines: string[]) => lastErrorLine({ namespace: 'n', pod: 'p', container: 'c', run: 'current', lines });
    expect(log('panic: x', 'INFO "Error: y"')).toBe('panic: x');
    expect(log('F0602 10:22:34.000001       1 digest.go:31] cannot render', 'bye')).toContain('cannot render');
    expect(log("thread 'main' panicked at src/main.rs:41:10:")).toContain('panicked');
    expect(log('INFO Error: y')).toBeUndefined();
  });
});
