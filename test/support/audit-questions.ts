/** What every question begins with. */
export const PREFIXES = `PREFIX cf: <https://w3id.org/counterfoil#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX schema: <http://schema.org/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
`;

/** The questions of an auditor, as a client sends them. `TICKET` stands for an issued one. */
export const AUDIT_QUESTIONS: Readonly<Record<string, string>> = {
  Q01_history: `SELECT ?version ?state ?standing ?action ?at ?agent ?height WHERE {
  ?v prov:specializationOf <http://localhost/id/ticket/TICKET> ; cf:version ?version ; cf:state ?state ; cf:standing ?standing ; prov:wasGeneratedBy ?tx .
  ?tx a ?action ; prov:endedAtTime ?at ; prov:wasAssociatedWith ?agent .
  ?block cf:contains ?tx ; cf:height ?height .
  FILTER(STRSTARTS(STR(?action), STR(cf:)))
} ORDER BY ?version`,
  Q02_state_as_of: `SELECT ?version ?state ?standing WHERE {
  ?v prov:specializationOf <http://localhost/id/ticket/TICKET> ; cf:version ?version ; cf:state ?state ; cf:standing ?standing ; prov:wasGeneratedBy ?tx .
  ?b cf:contains ?tx ; prov:generatedAtTime ?t .
  FILTER(?t <= "2026-06-12T18:20:00Z"^^xsd:dateTime)
} ORDER BY DESC(?version) LIMIT 1`,
  Q03_who_admitted: `SELECT ?kind ?device ?principal ?gate ?scan ?happened ?recorded (?recorded - ?happened AS ?lag) WHERE {
  ?s cf:ticket <http://localhost/id/ticket/TICKET> ; a ?kind ; prov:atLocation ?gate ; prov:wasAssociatedWith ?device ; prov:endedAtTime ?happened .
  OPTIONAL { ?s cf:idempotencyKey ?scan } OPTIONAL { ?device prov:actedOnBehalfOf ?principal }
  ?b cf:contains ?s ; prov:generatedAtTime ?recorded .
  FILTER(?kind != prov:Activity)
} ORDER BY ?happened`,
  Q04_chain_breaks: `SELECT ?height ?claimed ?actual WHERE {
  { ?b cf:previousBlock ?p ; cf:previousHash ?claimed ; cf:height ?height . ?p cf:blockHash ?actual ; cf:height ?ph .
    FILTER(STR(?claimed) != STR(?actual) || ?height != ?ph + 1) }
  UNION
  { ?b a cf:Block ; cf:height ?height . MINUS { ?b cf:previousBlock ?q } FILTER(?height > 0) BIND("missing" AS ?claimed) }
}`,
  Q05_illegal_transitions: `SELECT ?ticket ?from ?to ?tx WHERE {
  ?v prov:wasRevisionOf ?p ; cf:state ?to ; prov:specializationOf ?ticket ; prov:wasGeneratedBy ?tx .
  ?p cf:state ?from .
  FILTER(?from != ?to)
  FILTER NOT EXISTS { VALUES (?from ?to) { (cf:Issued cf:Validated) (cf:Validated cf:Consumed) (cf:Validated cf:Disputed) } }
}`,
  Q06_gate_curve: `SELECT ?gate ?slot (COUNT(?s) AS ?entries) WHERE {
  ?s prov:atLocation ?gate ; prov:endedAtTime ?t .
  { ?s a cf:Consumption } UNION { ?s a cf:OfflineClaim }
  BIND(CONCAT(STR(HOURS(?t)), ":", STR(5 * FLOOR(MINUTES(?t) / 5))) AS ?slot)
} GROUP BY ?gate ?slot ORDER BY ?gate ?slot`,
  Q07_double_admissions: `SELECT ?ticket (COUNT(?s) AS ?scans) (COUNT(DISTINCT ?gate) AS ?gates) (MIN(?t) AS ?first) (MAX(?t) AS ?last) WHERE {
  ?s prov:atLocation ?gate ; cf:ticket ?ticket ; prov:endedAtTime ?t .
} GROUP BY ?ticket HAVING (COUNT(?s) > 1) ORDER BY DESC(?scans) ?ticket`,
  Q08_disputes: `SELECT ?ticket ?reason ?opened ?opener ?outcome ?arbiter (BOUND(?arbiter) && ?arbiter = ?opener AS ?selfJudged) WHERE {
  ?v cf:state cf:Disputed ; prov:specializationOf ?ticket ; prov:wasGeneratedBy ?d .
  ?d a cf:DisputeOpening ; cf:reason ?reason ; prov:endedAtTime ?opened ; prov:wasAssociatedWith ?opener .
  OPTIONAL { ?r a cf:DisputeResolution ; cf:ticket ?ticket ; cf:outcome ?outcome ; prov:wasAssociatedWith ?arbiter . }
} ORDER BY ?opened`,
  Q09_custody_resale: `SELECT ?ticket ?tx ?face ?paid ?capPercent WHERE {
  ?tx a cf:Transfer ; cf:salePrice ?paid .
  ?v prov:wasGeneratedBy ?tx ; prov:specializationOf ?ticket .
  ?ticket schema:totalPrice ?face ; cf:tier ?tier . ?tier cf:resaleCapPercent ?capPercent .
  FILTER(?paid > ?face * ?capPercent / 100)
} ORDER BY DESC(?paid)`,
  Q10_revoked_then_used: `SELECT ?ticket ?reason ?revokedAt ?triedAt ?gate ?admitted WHERE {
  ?r a cf:Revocation ; cf:ticket ?ticket ; cf:reason ?reason ; prov:endedAtTime ?revokedAt .
  ?s cf:ticket ?ticket ; prov:atLocation ?gate ; prov:endedAtTime ?triedAt .
  BIND(NOT EXISTS { ?s a cf:RejectedAttempt } AS ?admitted)
  FILTER(?triedAt > ?revokedAt)
}`,
  Q11_reconcile: `SELECT ?tier ?capacity ?state ?standing (COUNT(?t) AS ?n) WHERE {
  ?t cf:tier ?tier . ?tier cf:capacity ?capacity .
  ?v prov:specializationOf ?t ; cf:state ?state ; cf:standing ?standing .
  MINUS { ?v prov:wasInvalidatedBy ?x }
} GROUP BY ?tier ?capacity ?state ?standing ORDER BY ?tier ?state`,
  Q12_authorities: `SELECT ?authority ?signed ?proposed ?weakBlocks WHERE {
  { SELECT ?authority (COUNT(?f) AS ?signed) WHERE { ?f a cf:Finalization ; prov:wasAssociatedWith ?authority } GROUP BY ?authority }
  { SELECT ?authority (COUNT(?b) AS ?proposed) WHERE { ?b cf:proposer ?authority } GROUP BY ?authority }
  { SELECT (COUNT(?f2) AS ?weakBlocks) WHERE { { SELECT ?f2 (COUNT(?a) AS ?k) WHERE { ?f2 a cf:Finalization ; prov:wasAssociatedWith ?a } GROUP BY ?f2 HAVING (COUNT(?a) < 3) } } }
} ORDER BY ?authority`,
  Q13_out_of_lease: `SELECT ?tx ?device ?t ?until ?gate ?home WHERE {
  ?device a cf:GateDevice ; cf:leasedFrom ?from ; cf:leasedUntil ?until ; prov:atLocation ?home .
  ?tx prov:wasAssociatedWith ?device ; prov:endedAtTime ?t ; prov:atLocation ?gate .
  FILTER(?t < ?from || ?t > ?until || ?gate != ?home)
}`,
};
