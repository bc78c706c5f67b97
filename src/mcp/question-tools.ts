import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { answerDocument } from '../api/answers/answer-document.ts';
import type { Engine } from '../engine/engine.ts';
import { askQuestion, questionsOf, readParameters } from '../engine/look/ask-question.ts';
import type { Answer, PlacedQuestion } from '../engine/look/ask-question.ts';
import type { KnownVersions } from '../engine/look/known-versions.ts';
import { asPipelineError } from '../errors.ts';
import { redactText } from '../redaction.ts';

/**
 * The questions as tools of the Model Context Protocol, for any assistant: one tool a question,
 * each only reads. This file is all that knows the protocol's library.
 */

/** What an assistant may ask about. */
export interface QuestionSource {
  readonly engine: Engine;
  readonly known: KnownVersions;
  readonly version: string;
  /** Which questions the caller may ask; default all. */
  readonly mayAsk?: (placed: PlacedQuestion) => boolean;
}

/** One tool per question; the schema of its parameters is the tool's. */
export function createMcpServer(source: QuestionSource): McpServer {
  const questions = new Map(
    [...questionsOf(source.engine.datasets)].filter(
      ([, placed]) => source.mayAsk?.(placed) ?? true,
    ),
  );
  const mcp = new McpServer(
    { name: 'quotidien', version: source.version },
    {
      capabilities: { tools: {} },
      instructions:
        'Answers are exact and over all data. Say their coverage where it is below 1, and never fill a gap.',
    },
  );
  // Below its own registry of tools: the schemas of questions are there already.
  const { server } = mcp;
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [...questions.values()].map(toolOf),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const placed = questions.get(params.name);
    if (placed === undefined) return failed('NOT_FOUND', `there is no question ${params.name}`);
    try {
      const parameters = readParameters(placed, asTexts(params.arguments ?? {}));
      return told(await askQuestion(source.engine, source.known, placed, parameters, { signal }));
    } catch (error) {
      const { code, message } = asPipelineError(error);
      return failed(code, code === 'INTERNAL' ? 'the question failed' : redactText(message));
    }
  });
  return mcp;
}

function toolOf({ pipeline, question }: PlacedQuestion): Tool {
  const schema = z.toJSONSchema(question.parameters, { io: 'input', unrepresentable: 'any' });
  return {
    name: question.id,
    title: question.title.en,
    description: `${question.description.en} (${pipeline})`,
    inputSchema: { ...schema, type: 'object' } as Tool['inputSchema'],
    annotations: {
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  };
}

/** Questions read texts, as addresses have them; assistants send numbers and flags. */
function asTexts(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isPlain = (value: unknown): value is number | boolean =>
    typeof value === 'number' || typeof value === 'boolean';
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, isPlain(value) ? String(value) : value]),
  );
}

function told(answer: Answer): CallToolResult {
  const document = answerDocument(answer);
  return {
    structuredContent: document,
    content: [
      { type: 'text', text: answer.sentence.en },
      { type: 'text', text: JSON.stringify(document) },
    ],
  };
}

function failed(code: string, message: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: `${code}: ${message}` }] };
}
