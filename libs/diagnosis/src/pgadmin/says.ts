import type { causeClasses } from '../cause-codes';

/**
 * What PgAdmin's container prints before it gives up (pgadmin4, `pkg/docker/entrypoint.sh`, `web/pgadmin/setup/data_directory.py`,
 * `web/setup.py`; gunicorn's arbiter for the port). Its warnings about ACLs, `setrlimit` and `sudo` stand in every run and are no causes.
 */
export const pgadminSays = {
  pgadmin_invalid_email: [/does not appear to be a valid email address/],
  pgadmin_missing_credentials: [/You need to (?:define|specify)(?: the)? PGADMIN_DEFAULT_EMAIL/, /PGADMIN_DEFAULT_PASSWORD_FILE is set to ".*" but the file does not exist or is not readable/],
  pgadmin_data_not_writable: [
    /Failed to create the directory \/var\/lib\/pgadmin/,
    /Permission denied: '\/var\/lib\/pgadmin/,
    /Read-only file system: '\/var\/lib\/pgadmin/,
    /sqlite3\.OperationalError\)? (?:unable to open database file|attempt to write a readonly database)/,
  ],
  pgadmin_servers_json_invalid: [
    /Error (?:parsing|reading|loading) (?:input file|server definitions?).*/i,
    /servers\.json.*(?:JSONDecodeError|Expecting|Invalid|not valid|could not|failed|error)/i,
    /json\.decoder\.JSONDecodeError/,
    /(?:'?Servers'?|'?Group'?|'?Name'?|'?SSLMode'?|'?MaintenanceDB'?|'?Username'?|'?Host'?) attribute not found/i,
    /The JSON file does not contain any servers|does not contain (?:any )?server definitions/i,
  ],
  pgadmin_config_database_unreachable: [
    /(?:sqlalchemy\.exc\.|psycopg2?\.|\()OperationalError.*(?:connect|connection|translate host|resolve|refused|timed? ?out|authentication failed|does not exist)/i,
    // What psycopg 3 says of a name without an address is Python's own error and its number.
    /OperationalError\) \[Errno -?\d+\]/,
    /connection to server at "[^"]*".*failed|could not connect to server|could not translate host name|connection failed: .*port \d+/i,
    /Unable to connect to the configuration database|CONFIG_DATABASE_URI/,
  ],
  pgadmin_privileged_port: [/Can't connect to \('[^']*', (?<port>\d+)\)/, /(?:bind|listen)[^\n]{0,80}?\b(?<port>\d{1,3})\b[^\n]{0,60}[Pp]ermission denied/, /\/venv\/bin\/(?:python3?|gunicorn): Operation not permitted/, /\[Errno 13\] Permission denied(?!: ')/],
} as const satisfies Record<(typeof causeClasses)['pgadmin'][number], readonly RegExp[]>;
