/**
 * The energy program for TypeScript: what Codama generates from the IDL, and the
 * two things that the IDL cannot say.
 */
export * from './generated/index.gen.ts';
export * from './marker.ts';
export * from './refusal.ts';
