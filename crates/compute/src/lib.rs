//! Instances: started, stopped and inspected from a specification, drivers behind one trait
