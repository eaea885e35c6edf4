// A click on a head sorts the table by it; another click turns the order.
(() => {
  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = Number.parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(number) ? text : number;
  };
  // What is not there is last, whatever the order.
  const compare = (a, b, turn) => {
    if (a === "-" || b === "-") return (a === "-") - (b === "-");
    const both = typeof a === "number" && typeof b === "number";
    return turn * (both ? a - b : String(a).localeCompare(String(b)));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").onclick = () => {
        const turn = head.ariaSort === "ascending" ? -1 : 1;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.ariaSort = turn > 0 ? "ascending" : "descending";
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(value(a, column), value(b, column), turn));
        table.tBodies[0].append(...rows);
      };
    });
  }
})();
