/** What a transaction means as RDF, in canonical lines. */

/** An absolute IRI, without angle brackets. */
export type Iri = string;

/** RDF 1.1 terms less blank nodes, which nothing here takes or makes. */
export type Term =
  | { readonly kind: 'iri'; readonly value: Iri }
  | {
      readonly kind: 'literal';
      readonly value: string;
      readonly datatype: Iri;
      /** In lower case; empty unless the datatype is rdf:langString. */
      readonly language: string;
    };

export interface Triple {
  readonly subject: Iri;
  readonly predicate: Iri;
  readonly object: Term;
}

export interface Quad extends Triple {
  readonly graph: Iri;
}
