// Tables are sorted by a click on the head of a column.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[place].dataset.value ?? row.cells[place].dataset.sort ?? "";
      const order = (a, b) => key(a).localeCompare(key(b), "fr", { numeric: true });
      const number = (row) => (key(row) === "" ? -1 : Number(key(row)));
      const rows = [...body.rows];
      const numeric = rows.every((row) => row.cells[place].dataset.value !== undefined);
      rows.sort(numeric ? (a, b) => number(a) - number(b) : order);
      body.append(...(up ? rows : rows.reverse()));
    });
  });
}
