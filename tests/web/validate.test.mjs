// What is wrong with a field, by its kind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf } from "../../web/js/validate.js";

const field = (type, fault, others = {}) => ({ type, validity: { [fault]: true }, ...others });

test("every kind of fault has its word", () => {
  for (const [input, word, values] of [
    [field("text", "valueMissing"), "missing"],
    [field("checkbox", "valueMissing"), "tick"],
    [field("radio", "valueMissing"), "choice"],
    [field("select-one", "valueMissing"), "choice"],
    [field("email", "typeMismatch"), "email"],
    [field("url", "typeMismatch"), "url"],
    [field("text", "patternMismatch"), "other"],
    [field("number", "badInput"), "number"],
    [field("number", "rangeOverflow", { min: "1", max: "20" }), "between", { min: 1, max: 20 }],
    [field("datetime-local", "badInput"), "moment"],
    [{ type: "number", validity: { badInput: true, valueMissing: true } }, "number"],
    [{ type: "datetime-local", validity: { badInput: true, valueMissing: true } }, "moment"],
    [field("password", "tooShort", { minLength: 12 }), "short", { min: 12 }],
    [field("text", "tooLong", { maxLength: 200 }), "long", { max: 200 }],
  ])
    assert.deepEqual(faultOf(input), values ? [word, values] : [word], `${input.type} ${word}`);
});
