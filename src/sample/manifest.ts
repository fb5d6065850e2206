import { QUESTIONS } from '../provenance/questions.ts';
import type { ExpectedAnswer } from './answers.ts';
import { SAMPLE_SEED } from './draw.ts';
import type { Exercise } from './exercise.ts';
import type { SampleSize } from './plan.ts';
import type { Recording } from './recording.ts';
import { SAMPLE_EVENT } from './tickets.ts';

/** What is written of a file beside it. */
export interface SampleFile {
  readonly name: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

/** Says what the files of a sample hold, and what the questions are to be answered about them. */
export function manifestOf(
  { size, tickets }: { readonly size: SampleSize; readonly tickets: number },
  recording: Recording,
  exercise: Exercise,
  files: readonly SampleFile[],
): object {
  const { head, genesis, counts } = recording;
  return {
    seed: SAMPLE_SEED,
    size,
    tickets,
    event: SAMPLE_EVENT,
    chain_id: genesis.chainId,
    iri_base: genesis.iriBase,
    head,
    counts,
    files,
    answers: recording.answers().map(answerJson),
    exercise: {
      note: 'audit-exercise.nq is no part of the chain: it shows control failures that the ledger refuses',
      answers: exercise.answers.map(answerJson),
    },
  };
}

function answerJson({ question, parameters, rows }: ExpectedAnswer): object {
  const { columns } = QUESTIONS.find(({ name }) => name === question) ?? { columns: [] };
  return { question, parameters, columns, rows };
}
