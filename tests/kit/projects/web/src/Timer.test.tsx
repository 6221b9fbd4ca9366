import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { Timer } from "./Timer";

test("a timer shows its name and what is left", () => {
  const html = renderToStaticMarkup(<Timer timer={{ id: 1, name: "Eggs", seconds: 75 }} onRemove={() => {}} />);

  expect(html).toContain("<span>Eggs</span><time>1:15</time>");
});
