import { api } from "../api/client";
import { useResource } from "../api/resource";
import type { Catalogue } from "../api/types";
import { describeValue } from "./describe";
import { splitPolicy } from "./policy";
import { fieldAt, readSchema, type UnionField } from "./schema";
import { isData } from "./values";

const known = new WeakMap<Catalogue, UnionField | null>();

function policiesOf(catalogue: Catalogue): UnionField | null {
  let policies = known.get(catalogue);
  if (policies === undefined) {
    const field = fieldAt(readSchema(catalogue.schema), "policy");
    policies = field?.kind === "union" ? field : null;
    known.set(catalogue, policies);
  }
  return policies;
}

/** The policies that the server knows, with their defaults; null while they are not known. */
export function usePolicies(): UnionField | null {
  const { data } = useResource("catalogue", api.catalogue);
  return data ? policiesOf(data) : null;
}

/** A policy's name, and quietly what differs from its defaults; all its settings on hover. */
export function PolicyText({ policy, className }: { policy: unknown; className?: string | undefined }) {
  const { head, rest } = splitPolicy(policy, usePolicies());
  const whole = isData(policy) ? Object.fromEntries(Object.entries(policy).filter(([, one]) => one !== null)) : policy;
  return (
    <span className={className} title={describeValue(whole)}>
      {head} {rest !== "" && <span className="quiet">{rest}</span>}
    </span>
  );
}
