// The tokens that servers of a few lines take: JWT, HS256.

import { createHmac } from "node:crypto";

export class Tokens {
    // The one that was shown last, and how many weren't good since the first one that was.
    last = undefined;
    refused = 0;

    constructor(secret) {
        this.secret = secret;
    }

    // When this one ends, in milliseconds since 1970, or Infinity; nothing if it isn't good.
    endOf(token) {
        const [head, claims, tag] = String(token).split(".");
        if (tag !== createHmac("sha256", this.secret).update(`${head}.${claims}`).digest("base64url")) return undefined;
        const { exp = Infinity } = JSON.parse(Buffer.from(claims, "base64url").toString());
        return Date.now() < exp * 1000 ? exp * 1000 : undefined;
    }

    // The same of one that somebody shows.
    take(token) {
        const end = this.endOf(token);
        if (end !== undefined) this.last = token;
        else if (this.last !== undefined) this.refused += 1;
        return end;
    }

    get account() {
        return { last: this.last, refused: this.refused };
    }
}

// Does something at an end that `take` gave; what this gives forgets that.
export function at(end, act) {
    const timer = end === Infinity ? undefined : setTimeout(act, end - Date.now());
    return () => clearTimeout(timer);
}
