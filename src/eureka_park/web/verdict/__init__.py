"""The verdict for people: one study and one language made into a page, a file, a print and a spreadsheet."""
