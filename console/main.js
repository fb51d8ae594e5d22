document.title = "Segment export";
