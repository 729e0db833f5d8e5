//! AWS Systems Manager: public parameters
