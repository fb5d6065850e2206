/** What a value of a parameter has to be. */
type ParameterKind = 'ticket' | 'instant';

export interface QuestionParameter {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly description: string;
  /** A value as it is given; of the sample where it can be. */
  readonly example: string;
}

/** A question that an auditor asks of a chain, in a form that any node can answer. */
export interface Question {
  /** By which it is asked for: lower-case words with hyphens. */
  readonly name: string;
  /** The question, as one would say it. */
  readonly title: string;
  /** What the answer is good for. */
  readonly purpose: string;
  /** What a ledger answers that was kept as it should be. */
  readonly honest: string;
  readonly parameters: readonly QuestionParameter[];
  /** Names of what each row has, in order; what is not known of a row is left out of it. */
  readonly columns: readonly string[];
  /** SPARQL 1.1 after the prefixes. `{{name}}` stands for a parameter; the default graph is the union of all. */
  readonly sparql: string;
}

export const TICKET: QuestionParameter = {
  name: 'ticket',
  kind: 'ticket',
  description: 'the id of a ticket',
  example: '1xtekp6hr6rv6240hv16',
};
