/** Asks questions of described chains, with the engine that nodes use. */

import { Store } from 'oxigraph';
import { CF } from '../../src/provenance/namespaces.ts';
import { askQuestion, QUESTIONS } from '../../src/provenance/questions.ts';
import type { Iri } from '../../src/provenance/terms.ts';

interface Answer {
  readonly results: { readonly bindings: readonly Readonly<Record<string, { readonly value: string }>>[] };
}

/** Rows as texts, by the columns of the question; empty where a row has no value. */
export type Rows = readonly (readonly string[])[];

export class Asked {
  readonly #store = new Store();
  readonly #iriBase: Iri;

  constructor(documents: Iterable<string>, iriBase: Iri) {
    this.#iriBase = iriBase;
    for (const document of documents) this.add(document);
  }

  add(document: string): void {
    this.#store.load(document, { format: 'application/n-quads', no_transaction: true });
  }

  get quads(): number {
    return this.#store.size;
  }

  /** Rows with IRIs in full. @throws when there is no such question, or a parameter is wrong */
  rows(name: string, parameters: Readonly<Record<string, string>> = {}): Rows {
    const text = askQuestion(name, parameters, this.#iriBase);
    if (!text.ok) throw new Error(`${text.error.code}: ${text.error.name} ${text.error.reason}`);
    const json: unknown = this.#store.query(text.value, { use_default_graph_as_union: true, results_format: 'json' });
    const { results }: Answer = JSON.parse(String(json));
    const columns = QUESTIONS.find((question) => question.name === name)?.columns ?? [];
    return results.bindings.map((row) => columns.map((column) => row[column]?.value ?? ''));
  }

  /** Rows with IRIs less what all have. */
  ask(name: string, parameters: Readonly<Record<string, string>> = {}): Rows {
    return this.rows(name, parameters).map((row) => row.map((value) => this.#short(value)));
  }

  #short(value: string): string {
    if (value.startsWith(CF)) return `cf:${value.slice(CF.length)}`;
    return value.startsWith(this.#iriBase) ? value.slice(this.#iriBase.length) : value;
  }
}
