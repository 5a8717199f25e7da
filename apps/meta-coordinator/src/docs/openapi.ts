import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { operationNotes, type OperationNote } from './operations';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** The OpenAPI document: routes as Nest serves them, shapes from the schemas that the service checks with. */
export async function openApiDocument(app: INestApplication): Promise<OpenAPIObject> {
  // Loaded when somebody asks: it costs start time and memory that the service does not need.
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const about = new DocumentBuilder()
    .setTitle('Larry meta-coordinator')
    .setDescription('Runs, approvals and events. Every change needs a token that names its bearer; problems are { "error": "one sentence" }.')
    .setVersion('1')
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, about, { autoTagControllers: true });
  for (const path of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(path as Record<string, Operation>)) {
      describe(operation, operationNotes[operation.operationId ?? ''], method !== 'get');
    }
  }
  return document;
}

function describe(operation: Operation, note: OperationNote | undefined, changes: boolean): void {
  if (!note) return;
  operation.summary = note.summary;
  if (changes) operation.security = [{ bearer: [] }];
  if (note.body) operation.requestBody = { required: true, content: { 'application/json': { schema: shape(note.body, 'input') } } };
  const [done] = Object.keys(operation.responses);
  if (done && note.answer) operation.responses[done] = { description: 'done', content: { 'application/json': { schema: shape(note.answer, 'output') } } };
  for (const [status, when] of Object.entries(note.problems ?? {})) {
    operation.responses[status] = { description: when, content: { 'application/json': { schema: problem } } };
  }
}

const problem = { type: 'object', required: ['error'], properties: { error: { type: 'string' } } };

function shape(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'openapi-3.0', io, unrepresentable: 'any', reused: 'inline' }) as Record<string, unknown>;
  return rest;
}
